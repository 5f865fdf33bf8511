import { Failure } from '../base/errors.ts';

/** A file that lies at a destination. */
export interface StoredFile {
  readonly name: string;
  readonly bytes: number;
}

/** A file to be stored, whose checksum is known. */
export interface SourceFile extends StoredFile {
  /** SHA-256, 64 hexadecimal digits. */
  readonly sha256: string;
  /** Its bytes, or those from one offset to another (exclusive); each time from the beginning. */
  readonly read: (from?: number, to?: number) => AsyncIterable<Buffer>;
}

/** What became of storing a file. */
export interface Stored {
  /** The place has told that it has these bytes; else they must be read back. */
  readonly isConfirmed: boolean;
  /** It was sent now; else it was there. */
  readonly isNew: boolean;
}

/**
 * A place for copies of backups: files directly below a URL. One that fails throws a Failure `cannotConnect`, or
 * `storage`, whose message says what and where; a Transient is worth another attempt.
 */
export interface Destination {
  /** As in OFFSITE_URL. */
  readonly url: string;
  /** The files directly there, in no order. */
  list(): Promise<StoredFile[]>;
  /**
   * Stores a file, whole or not at all, and never over another: what has its name already stays.
   * @throws NotTheSame where that is another file.
   */
  put(file: SourceFile): Promise<Stored>;
  /** The bytes of a file that is there. */
  open(name: string): AsyncIterable<Buffer>;
  /** Removes a file; that it is not there is no error. */
  remove(name: string): Promise<void>;
}

/** What lies at a destination under a name is not what is to be there. */
export class NotTheSame extends Failure {
  constructor(url: string, name: string) {
    super('verificationFailed', `what ${url} has under the name ${name} is not this file`, {
      hint: 'look who else writes there; remove it if nobody needs it',
    });
  }
}

/** A place that lets nobody do something, for good or for the time being. */
export class Denied extends Failure {}

/** A failure that may have passed a moment later: of the network, of a server that is busy. */
export class Transient extends Failure {
  constructor(message: string, cause?: unknown) {
    super('cannotConnect', message, {
      hint: 'check the network and the server, and try again with `pratiko-backup copy`',
      cause,
    });
  }
}
