// Puts src/ and the packages that it needs into dist/: one file for what every command needs, others for
// what some need when they need it. To find and load hundreds of files would take longer than most commands.
import { build } from 'rolldown';

await build({
  input: { main: 'src/main.ts', 'demo/main': 'src/demo/main.ts' },
  platform: 'node',
  // Large, and needed by few runs.
  external: ['@slack/webhook', 'undici', 'pg', '@aws-sdk/client-s3'],
  transform: { target: 'node20.19' },
  output: {
    dir: 'dist',
    entryFileNames: '[name].js',
    // Beside main.js: the root of the project is found from there. Without a hash: a run that is going on
    // finds the same names when it is built anew.
    chunkFileNames: '[name].js',
  },
});
