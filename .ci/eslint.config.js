import js from '@eslint/js';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

/** The layers of src/, top first; src/README.md describes them. Imports go downward only. */
const layers = [
  ['main.ts', 'demo/'],
  ['cli.ts', 'commands/'],
  ['operations/'],
  ['recovery/'],
  ['archive/'],
  ['dump/', 'postgres/', 'streams/', 'store/', 'notify/', 'retention.ts'],
  [
    'config.ts',
    'subprocess.ts',
    'log.ts',
    'database-traits.ts',
    'deadline.ts',
    'known-roles.ts',
    'row-loss.ts',
  ],
  ['table-rows.ts'],
  ['errors.ts', 'format.ts', 'text.ts', 'passfile.ts'],
];

/** Layers whose modules do not know each other. */
const strangers = new Set([0, 5]);

/** What a command may not reach although it lies below. */
const hiddenFromCommands = ['recovery/', 'archive/', ...layers[5]];

const forbidden = (module, depth) => [
  ...layers.slice(0, depth).flat(),
  ...(strangers.has(depth) ? layers[depth].filter((other) => other !== module) : []),
  ...(module === 'commands/' ? hiddenFromCommands : []),
];

const layerRules = layers.flatMap((modules, depth) =>
  modules
    .map((module) => ({ module, names: forbidden(module, depth) }))
    .filter(({ names }) => names.length > 0)
    .map(({ module, names }) => ({
      files: [`src/${module}${module.endsWith('/') ? '**' : ''}`],
      rules: {
        '@typescript-eslint/no-restricted-imports': [
          'error',
          {
            patterns: [
              {
                regex: `^\\.{1,2}/(?:${names.join('|')})`,
                message: 'Imports go downward only: see the layers in src/README.md.',
                allowTypeImports: true,
              },
              ...(module === 'operations/'
                ? [
                    {
                      regex: '^\\./(?!context\\.ts$)',
                      message: 'Operations do not call each other: share a step in archive/.',
                    },
                  ]
                : []),
            ],
          },
        ],
      },
    })),
);

export default defineConfig(
  { ignores: ['dist/', 'coverage/', 'node_modules/'] },
  js.configs.recommended,
  {
    files: ['bin/*.js'],
    languageOptions: { sourceType: 'commonjs', globals: { process: 'readonly' } },
  },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unused-vars': ['error', { varsIgnorePattern: '^_' }],
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/main.ts', 'src/demo/main.ts'],
    rules: { 'no-restricted-globals': ['error', 'process', 'console'] },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/subprocess.ts'],
    rules: { 'no-restricted-imports': ['error', 'node:process', 'execa', 'node:child_process'] },
  },
  ...layerRules,
);
