import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

/** A text that a person can be shown. */
export interface Told {
  /** Its file and line. */
  readonly at: string;
  readonly kind: 'error' | 'warning' | 'event';
  /** What is put in at run time is `…`. */
  readonly message: string;
  /** Undefined where there is none; `…` where it is made elsewhere. */
  readonly hint: string | undefined;
}

/** Where messages are made, and what they are; the numbers are those of the arguments. */
const makers: Readonly<Record<string, { kind: Told['kind']; message: number; hint?: number }>> = {
  Failure: { kind: 'error', message: 1, hint: 2 },
  // Of a kind of Failure.
  super: { kind: 'error', message: 1, hint: 2 },
  ConnectionFailure: { kind: 'error', message: 0, hint: 1 },
  blocker: { kind: 'error', message: 0, hint: 1 },
  warning: { kind: 'warning', message: 0, hint: 1 },
  note: { kind: 'event', message: 0, hint: 1 },
};

/** Every message of the source that is written where it is told. */
export function collectMessages(root: string): Told[] {
  const names = readdirSync(root, { recursive: true }).filter(
    (name): name is string => typeof name === 'string' && name.endsWith('.ts'),
  );
  return names.flatMap((name) => {
    const path = join(root, name);
    const file = ts.createSourceFile(
      path,
      readFileSync(path, 'utf8'),
      ts.ScriptTarget.Latest,
      true,
    );
    const found: Told[] = [];
    const visit = (node: ts.Node) => {
      const told = toldBy(node);
      if (told !== undefined) {
        const { line } = file.getLineAndCharacterOfPosition(node.getStart());
        found.push({ at: `src/${name}:${line + 1}`, ...told });
      }
      ts.forEachChild(node, visit);
    };
    visit(file);
    return found;
  });
}

function toldBy(node: ts.Node): Omit<Told, 'at'> | undefined {
  if (ts.isNewExpression(node) || ts.isCallExpression(node)) {
    const called = makers[node.expression.getText()];
    const args = node.arguments ?? [];
    // Other classes call what they extend with other things.
    const isOther = node.expression.kind === ts.SyntaxKind.SuperKeyword && args.length !== 3;
    if (called !== undefined && !isOther) {
      const message = textOf(args[called.message]) ?? '…';
      const hint = called.hint === undefined ? undefined : hintOf(args[called.hint]);
      return { kind: called.kind, message, hint };
    }
    return ts.isCallExpression(node) ? logged(node) : undefined;
  }
  return undefined;
}

/** `log.warn({ hint }, message)`, `log.info(message)` */
function logged({ expression, arguments: args }: ts.CallExpression): Omit<Told, 'at'> | undefined {
  if (!ts.isPropertyAccessExpression(expression)) return undefined;
  const level = expression.name.text;
  if (
    !/\blog$/.test(expression.expression.getText()) ||
    !['warn', 'info', 'error'].includes(level)
  ) {
    return undefined;
  }
  const [first, second] = args;
  const message = textOf(second ?? first);
  if (message === undefined) return undefined;
  const kind = level === 'info' ? 'event' : 'warning';
  return { kind, message, hint: second === undefined ? undefined : hintOf(first) };
}

function hintOf(node: ts.Node | undefined): string | undefined {
  if (node === undefined) return undefined;
  if (!ts.isObjectLiteralExpression(node)) return textOf(node) ?? '…';
  for (const property of node.properties) {
    if (property.name?.getText() !== 'hint') continue;
    return ts.isPropertyAssignment(property) ? (textOf(property.initializer) ?? '…') : '…';
  }
  return undefined;
}

/** Undefined for what is no text where it stands. */
function textOf(node: ts.Node | undefined): string | undefined {
  if (node === undefined) return undefined;
  if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) return node.text;
  if (ts.isConditionalExpression(node)) {
    return [node.whenTrue, node.whenFalse].map((each) => textOf(each) ?? '…').join(' | ');
  }
  if (ts.isTemplateExpression(node)) {
    return node.head.text + node.templateSpans.map(({ literal }) => `…${literal.text}`).join('');
  }
  return undefined;
}
