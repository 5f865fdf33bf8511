import { bytesOf, textOf } from '../base/text.ts';
import { Quoting } from './quoting.ts';

/**
 * The same SQL with each comment replaced by a space.
 * @param rules how strings and characters are read, if not as UTF-8 by the standard.
 */
export function withoutComments(sql: string, rules?: Quoting): string {
  if (!sql.includes('--') && !sql.includes('/*')) return sql;
  const quoting = rules?.likeThis() ?? new Quoting();
  const kept: number[] = [];
  let inComment = false;
  for (const byte of bytesOf(sql)) {
    const wasInComment = inComment;
    quoting.step(byte);
    inComment = quoting.inComment;
    if (wasInComment) continue;
    // A comment is recognized at its second byte.
    if (inComment) kept[kept.length - 1] = 0x20;
    else kept.push(byte);
  }
  return textOf(Buffer.from(kept));
}
