const LEFT = 0x28;
const RIGHT = 0x29;
const SEMICOLON = 0x3b;

/** What can follow CREATE where a body with semicolons of its own may come. */
const beginsRoutine = /^create (?:or replace )?(?:function|procedure) /;

/** Longer words are none of those that matter here. */
const maxWordBytes = 10;
const wordsToKnow = 4;

/**
 * Knows which semicolon ends a statement: none does inside parentheses (`CREATE RULE … DO (a; b)`), nor
 * between BEGIN ATOMIC and END of a routine's body. psql (psqlscan.l) takes every `begin` for the
 * beginning of such a body, also the name of a parameter, and then waits for an END that never comes.
 */
export class StatementBoundary {
  #parentheses = 0;
  #blocks = 0;
  /** The same as psql counts. */
  #blocksOfPsql = 0;
  #afterBegin = false;
  /** The word that is being read, in lower case. */
  #word = '';
  #inWord = false;
  #words = 0;
  /** The first words of the statement. */
  #beginning = '';

  /** Whether psql, too, sees the end of the statement where it is. */
  get endsForPsql(): boolean {
    return this.#blocksOfPsql === 0;
  }

  /**
   * Takes the next byte of a statement and says whether the statement ends with it.
   * @param isCode false in strings, quoted names and comments.
   * @param continuesWord whether it can stand inside a word.
   */
  step(byte: number, isCode: boolean, continuesWord: boolean): boolean {
    if (isCode && continuesWord) {
      this.#inWord = true;
      if (this.#word.length < maxWordBytes) this.#word += String.fromCharCode(byte | 0x20);
      return false;
    }
    if (this.#inWord) this.#endWord();
    if (!isCode) return false;
    if (byte === LEFT) this.#parentheses += 1;
    else if (byte === RIGHT && this.#parentheses > 0) this.#parentheses -= 1;
    return byte === SEMICOLON && this.#parentheses === 0 && this.#blocks === 0;
  }

  #endWord(): void {
    const word = this.#word;
    this.#word = '';
    this.#inWord = false;
    if (this.#words < wordsToKnow) this.#beginning += `${word} `;
    this.#words += 1;
    if (this.#parentheses > 0 || !beginsRoutine.test(this.#beginning)) return;
    if (word === 'begin' || (word === 'case' && this.#blocksOfPsql > 0)) this.#blocksOfPsql += 1;
    else if (word === 'end' && this.#blocksOfPsql > 0) this.#blocksOfPsql -= 1;
    const isBody = word === 'atomic' && this.#afterBegin;
    if (isBody || (word === 'case' && this.#blocks > 0)) this.#blocks += 1;
    else if (word === 'end' && this.#blocks > 0) this.#blocks -= 1;
    this.#afterBegin = word === 'begin';
  }
}
