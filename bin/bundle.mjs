// Puts src/ and the packages that it needs into dist/: one file for what every command needs, others for
// what some need when they need it. To find and load hundreds of files would take longer than most commands.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { build } from 'rolldown';

/** A plugin beside these, by path: npm run coverage has one. */
const { BUNDLE_PLUGIN: plugin } = process.env;

const { output } = await build({
  input: { main: 'src/main.ts', 'demo/main': 'src/demo/main.ts' },
  platform: 'node',
  // Large, and needed by few runs.
  external: ['@slack/webhook', 'undici', 'pg', '@aws-sdk/client-s3'],
  transform: { target: 'node20.19' },
  plugins: plugin === undefined ? [] : [(await import(plugin)).default],
  output: {
    dir: 'dist',
    entryFileNames: '[name].js',
    // Beside main.js: the root of the project is found from there. Without a hash: a run that is going on
    // finds the same names when it is built anew.
    chunkFileNames: '[name].js',
  },
});

// Some packages name the license alone: its text is that of ours.
function licenseOf(license, author) {
  if (license !== 'MIT' || author === undefined) throw new Error(`no license: ${license}`);
  return readFileSync('LICENSE', 'utf8').replace(
    /^Copyright .*$/m,
    `Copyright (c) ${author.name ?? author}`,
  );
}

// Their licenses ask to be passed on with them.
const packages = new Set(
  output
    .flatMap(({ moduleIds = [] }) => moduleIds)
    .flatMap((id) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id.replace(/^\0/, '')) ?? []),
);
const texts = [...packages].sort().map((directory) => {
  const { name, version, license, author } = JSON.parse(
    readFileSync(join(directory, 'package.json')),
  );
  const file = readdirSync(directory).find((each) => /^licen[cs]e/i.test(each));
  const text =
    file === undefined ? licenseOf(license, author) : readFileSync(join(directory, file), 'utf8');
  return `${name} ${version} (${license})\n\n${text.trim()}\n`;
});
writeFileSync('dist/licenses.txt', texts.join(`\n${'-'.repeat(80)}\n\n`));
