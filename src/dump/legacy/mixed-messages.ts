import {
  AmbiguousMessage,
  isCutMessage,
  isProgressMessage,
  maxMessageBytes,
  mayBeProgressMessage,
} from './messages.ts';

const NEWLINE = 0x0a;
const beforeRows = 'pg_dump: dumping contents of table ';

/** Takes pg_dump's messages out of a dump, where whole lines of them are mixed into it. */
export class MixedMessages {
  /** Whether there are any. */
  expected = false;
  /** A line begins at the next byte that may be one. */
  mayBegin = true;

  /** Whether what is left of a chunk may be the beginning of one: the next chunk tells. */
  isCut(bytes: Buffer): boolean {
    return (
      this.expected &&
      this.mayBegin &&
      bytes.length < maxMessageBytes &&
      !bytes.includes(NEWLINE) &&
      mayBeProgressMessage(bytes)
    );
  }

  /**
   * The message with which `bytes` begin.
   * @param inRows only the one that announces rows is one here.
   * @throws AmbiguousMessage where nobody can say.
   */
  take(bytes: Buffer, inRows: boolean): Buffer | undefined {
    if (!this.mayBegin) return undefined;
    this.mayBegin = false;
    if (!this.expected || !mayBeProgressMessage(bytes)) return undefined;
    const newline = bytes.indexOf(NEWLINE);
    const line = bytes.toString('utf8', 0, newline);
    if (newline !== -1 && isCutMessage(line)) {
      throw new AmbiguousMessage(
        `a message of pg_dump about a name with a line break is in the dump: ${JSON.stringify(line)}`,
      );
    }
    if (newline === -1 || !isProgressMessage(line)) return undefined;
    if (inRows && !line.startsWith(beforeRows)) return undefined;
    this.mayBegin = !inRows;
    return bytes.subarray(0, newline + 1);
  }
}
