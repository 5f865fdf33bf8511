/** So wide is the terminal of the picture. */
export const columns = 134;

const lineHeight = 18;
const charWidth = 8.4;
const padding = 16;

/** What a demo prints up to its second round, with the numbers of PratikoAI's night in place of today's. */
export function linesOf(output: string): string[] {
  const story = output.slice(output.indexOf('1. '), output.indexOf('\n6. ')).trimEnd();
  return story
    .replaceAll(/\d{8}_\d{6}/g, '20251129_020000')
    .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, '2025-11-29 02:00:00')
    .replaceAll(/127\.0\.0\.1:\d+/g, 'localhost:5433')
    .replaceAll(/\/\S*\/pratiko_demo_\w+/g, '/srv/app')
    .split('\n')
    .flatMap((line) => line.match(new RegExp(`.{1,${columns}}`, 'gu')) ?? ['']);
}

/** The lines as a terminal shows them: what is typed bright, what is told plain. */
export function pictureOf(lines: readonly string[]): string {
  const width = Math.ceil(columns * charWidth) + 2 * padding;
  const height = lines.length * lineHeight + 2 * padding;
  const text = lines.map((line, index) => {
    const style = /^ {3}\$ /.test(line)
      ? ' class="typed"'
      : /^\d\. /.test(line)
        ? ' class="told"'
        : '';
    const y = padding + (index + 1) * lineHeight - 5;
    return line === ''
      ? ''
      : `<text x="${padding}" y="${y}"${style} xml:space="preserve">${escape(line)}</text>\n`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="A backup, a lost database, and its restore, at a terminal">
<style>text { font: 14px ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace; fill: #d4d4d4 } .typed { fill: #ffffff; font-weight: bold } .told { fill: #7fb4ff }</style>
<rect width="${width}" height="${height}" rx="8" fill="#1e1e1e"/>
${text.join('')}</svg>
`;
}

const escape = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** The words of a picture: numbers and the room between words are another each time. */
export const wordsOf = (picture: string): string[] =>
  [...picture.matchAll(/<text[^>]*>([^<]*)</g)].map(([, line = '']) =>
    line.replaceAll(/\d+(?:\.\d+)?/g, '0').replaceAll(/\s+/g, ' '),
  );
