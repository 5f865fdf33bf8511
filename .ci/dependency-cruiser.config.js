/** What recipes are made of. */
const parts = ['dump/', 'postgres/', 'streams/', 'backup-directory/', 'notify/', 'encryption/'];

/**
 * The layers of src/, top first: imports go downward only, those of types and those that are made when
 * needed, too. `src/README.md` says what each folder is for.
 */
const layers = [
  ['main.ts', 'demo/'],
  ['edge/'],
  ['program.ts'],
  ['commands/'],
  ['doctor/'],
  ['cli/', 'backup/', 'restore/', 'inspect/'],
  ['copies/'],
  ['schedule/'],
  ['retention/'],
  ['context.ts', 'archive/'],
  parts,
  ['config/'],
  ['base/'],
];

const paths = (names) => `^src/(?:${names.join('|').replaceAll('.', '\\.')})`;

const upward = layers.slice(1).map((layer, above) => ({
  name: `upward-from-${layer[0].replace('/', '')}`,
  comment: 'Imports go downward only: see the layers in src/README.md.',
  severity: 'error',
  from: { path: paths(layer) },
  to: { path: paths(layers.slice(0, above + 1).flat()) },
}));

const strangers = layers
  .filter((layer) => layer.length > 1)
  .flatMap((layer) =>
    layer.map((name) => ({
      name: `strangers-of-${name.replace('/', '')}`,
      comment: 'Folders of one layer do not know each other: what they share belongs below.',
      severity: 'error',
      from: { path: paths([name]) },
      to: { path: paths(layer.filter((other) => other !== name)) },
    })),
  );

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    ...upward,
    ...strangers,
    {
      name: 'commands-know-recipes-only',
      comment: 'A command turns flags into a call and the result into words.',
      severity: 'error',
      from: { path: '^src/commands/' },
      to: { path: paths(['archive/', ...parts]) },
    },
    {
      name: 'help-is-quick',
      comment:
        'What is loaded to show a help text: recipes and zod are imported when they are needed.',
      severity: 'error',
      from: {
        path: '^src/(?:main|edge/|program|commands/|cli/)',
        pathNot: '(?:results|schemas)\\.ts$',
      },
      to: {
        path: '^src/(?:context|backup/|restore/|inspect/|doctor/|copies/|schedule/|retention/|postgres/|config/config|cli/(?:.*results|schemas))|(?:^|/)(?:zod|execa)(?:/|$)',
        dependencyTypesNot: ['type-only', 'dynamic-import'],
      },
    },
    {
      name: 'tables-are-slow',
      comment:
        'To know how wide a text is takes a tenth of a start: texts are imported when they are shown.',
      severity: 'error',
      from: { path: '^src/(?:main|edge/|program|commands/(?:.*/command|[^/]+)\\.ts$)' },
      to: { path: '^src/cli/(?:table|fit)\\.ts$', dependencyTypesNot: ['dynamic-import'] },
    },
    {
      name: 'commands-are-strangers',
      comment: 'One command does not call another.',
      severity: 'error',
      from: { path: '^src/commands/([^/.]+)' },
      to: { path: '^src/commands/', pathNot: '^src/commands/$1[/.]' },
    },
    {
      name: 'nowhere',
      comment: 'A file that no layer names: give it a place.',
      severity: 'error',
      from: {},
      to: { path: '^src/', pathNot: paths(layers.flat()) },
    },
    { name: 'circle', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'circle-of-folders',
      severity: 'error',
      scope: 'folder',
      from: {},
      to: { circular: true },
    },
    {
      name: 'children',
      comment: 'Only base/subprocess.ts and its watchdog start programs.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/base/(?:subprocess|watchdog)\\.ts$' },
      to: { path: '(?:^|/)(?:execa|child_process|process)(?:/|$)' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
  },
};
