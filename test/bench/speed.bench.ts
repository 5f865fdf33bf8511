import { stat } from 'node:fs/promises';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import S3rver from 's3rver';
import { expect, test } from 'vitest';
import { fullScale, smallScale } from './data.ts';
import {
  formatGrowth,
  formatResults,
  median,
  writePlot,
  type GrowthPoint,
  type Result,
} from './report.ts';
import { openStage, type Cost, type Stage } from './stage.ts';

const rounds = Number(process.env.BENCH_ROUNDS ?? 5);
const bin = fileURLToPath(new URL('../../bin/pratiko-backup.js', import.meta.url));
const plot = fileURLToPath(new URL('results.svg', import.meta.url));
const tool = `'${process.execPath}' '${bin}' --env-file /dev/null --quiet`;

interface Contender {
  readonly name: string;
  readonly isOurs?: true;
  readonly script: string;
  /** Its output, in the directory of the stage. */
  readonly file?: string;
  /** Puts everything back, out of the measurement. */
  readonly before?: string;
}

const backups: readonly Contender[] = [
  { name: 'pg_dump > /dev/null', script: 'pg_dump bench > /dev/null' },
  {
    name: 'pg_dump | gzip, gzip -t (old script)',
    script: 'pg_dump bench | gzip > old.sql.gz; gzip -t old.sql.gz',
    file: 'old.sql.gz',
  },
  { name: 'pg_dump | pigz', script: 'pg_dump bench | pigz > pigz.sql.gz', file: 'pigz.sql.gz' },
  {
    name: 'pg_dump | zstd -T0',
    script: 'pg_dump bench | zstd -q -f -T0 -o dump.zst',
    file: 'dump.zst',
  },
  {
    name: 'pratiko-backup backup',
    isOurs: true,
    before: 'rm -f pratiko_backup_*',
    script: `POSTGRES_DB=bench ${tool} backup`,
    file: 'pratiko_backup_latest.sql.gz',
  },
];

const fresh = 'dropdb --if-exists loaded; psql -q -d postgres -c CHECKPOINT';

const restores: readonly Contender[] = [
  {
    name: 'gunzip | psql, vacuumdb',
    before: `${fresh}; createdb loaded`,
    script:
      'gunzip -c old.sql.gz | psql -q -v ON_ERROR_STOP=1 -d loaded > /dev/null; vacuumdb -q -j2 --analyze-only loaded',
  },
  {
    name: 'pg_restore -j2, vacuumdb',
    before: `${fresh}; createdb loaded`,
    script: 'pg_restore -j2 -d loaded directory; vacuumdb -q -j2 --analyze-only loaded',
  },
  {
    name: 'pratiko-backup restore',
    isOurs: true,
    before: fresh,
    script: `${tool} restore latest --yes --to loaded`,
  },
];

const readers: Record<string, string> = { gz: 'gunzip -c', zst: 'zstd -dc' };

test('speed', async () => {
  await using stage = await openStage();
  await stage.makeDatabase('bench', fullScale);
  const sqlBytes = Number((await stage.shell('pg_dump bench | wc -c')).stdout);
  const backedUp = await compete(stage, backups, async ({ file }) => {
    if (file === undefined) return;
    const read = `${readers[file.split('.').at(-1) ?? ''] ?? ''} ${file}`;
    const hash = (command: string) =>
      stage.shell(`${command} | grep -v '^.\\(un\\)\\?restrict' | sha256sum`);
    expect((await hash(read)).stdout).toBe((await hash('pg_dump bench')).stdout);
  });
  await stage.shell('pg_dump -Fd -f directory bench');
  const original = await stage.fingerprint('bench');
  const restored = await compete(stage, restores, async () => {
    expect(await stage.fingerprint('loaded')).toBe(original);
  });
  const growth = await grow(stage);

  const machine = `${availableParallelism()} cores (${cpus()[0]?.model ?? ''}), ${Math.round(totalmem() / 2 ** 30)} GiB, PostgreSQL ${stage.version}, Node ${process.versions.node}`;
  console.log(`
${(sqlBytes / 1e6).toFixed(0)} MB of SQL, ${rounds} paired rounds, ${machine}

${formatResults(backedUp)}

${formatResults(restored)}

${formatGrowth(growth)}
`);
  await writePlot(
    plot,
    `${(sqlBytes / 1e6).toFixed(0)} MB of SQL on ${availableParallelism()} cores, seconds`,
    [
      { title: 'Backup', results: backedUp },
      { title: 'Restore, with statistics', results: restored },
    ],
  );
});

/** The same backup, encrypted, and with a copy in a directory and at a server for S3 on this machine. */
test('encryption and copies', async () => {
  await using stage = await openStage();
  await stage.makeDatabase('bench', fullScale);
  const gpg = join(stage.directory, 'gpg');
  await stage.shell(`mkdir -m 700 -p ${gpg} copies; GNUPGHOME=${gpg} gpg --batch --quiet \
    --pinentry-mode=loopback --passphrase= --quick-generate-key backup@example.org rsa2048 encr never`);
  const { stdout } = await stage.shell(`rm -f key.txt; ${tool} keygen --output key.txt --json`);
  const { recipient } = JSON.parse(stdout) as { recipient: string };
  const server = new S3rver({
    ...{ port: 0, address: '127.0.0.1', silent: true, allowMismatchedSignatures: true },
    ...{
      directory: join(stage.directory, 's3'),
      configureBuckets: [{ name: 'bucket', configs: [] }],
    },
  });
  const { port } = await server.run();
  const s3 = `AWS_ACCESS_KEY_ID=S3RVER AWS_SECRET_ACCESS_KEY=S3RVER AWS_ENDPOINT_URL=http://127.0.0.1:${port}`;
  const plain = `POSTGRES_DB=bench ${tool} backup`;
  const before = 'rm -rf pratiko_backup_* copies/*';
  const costs = await compete(
    stage,
    [
      { name: 'pratiko-backup backup', isOurs: true, before, script: plain },
      { name: 'to age', before, script: `BACKUP_AGE_RECIPIENT=${recipient} ${plain}` },
      {
        name: 'to gpg',
        before,
        script: `GNUPGHOME=${gpg} BACKUP_GPG_RECIPIENT=backup@example.org ${plain}`,
      },
      { name: 'copied to a directory', before, script: `OFFSITE_URL=file://$PWD/copies ${plain}` },
      { name: 'copied to S3', before, script: `${s3} OFFSITE_URL=s3://bucket/bench ${plain}` },
    ],
    async () => {
      expect((await stage.shell('ls pratiko_backup_2*.sql.gz* | wc -l')).stdout).toBe('1');
    },
  );
  await server.close();
  await stage.shell(`GNUPGHOME=${gpg} gpgconf --kill all`);
  console.log(`\n${rounds} paired rounds\n\n${formatResults(costs)}\n`);
});

/** How many tables a database of many small ones has. */
const manyTables = Number(process.env.BENCH_TABLES ?? 10_000);

const inOrder = restores.flatMap((contender) =>
  contender.isOurs
    ? [
        contender,
        {
          ...contender,
          name: `${contender.name} --jobs 1`,
          script: `${contender.script} --jobs 1`,
        },
      ]
    : contender.name.startsWith('gunzip')
      ? [contender]
      : [],
);

test('many small tables', async () => {
  // Waiting for the disk at each commit is most of what a real server does here.
  await using stage = await openStage({ fsync: 'on' });
  await stage.shell(`createdb many; psql -q -d many <<'SQL'
SELECT format('CREATE TABLE t%s (id integer PRIMARY KEY, a text NOT NULL);
  INSERT INTO t%1$s SELECT g, md5(g::text) FROM generate_series(1, 20) AS g;
  CREATE INDEX ON t%1$s (a);', n) FROM generate_series(1, ${manyTables}) AS n \\gexec
SQL`);
  await stage.shell(`pg_dump many | gzip > old.sql.gz; POSTGRES_DB=many ${tool} backup`);
  const count = `psql -At -d loaded -c "SELECT count(*) FROM pg_stat_user_tables" -c "SELECT count(*) FROM t1"`;
  const restored = await compete(stage, inOrder, async () => {
    expect((await stage.shell(count)).stdout).toBe(`${manyTables}\n20`);
  });
  console.log(
    `\n${manyTables} tables of 20 rows, ${rounds} paired rounds\n\n${formatResults(restored)}\n`,
  );
});

/** One round in which each output is checked, and does not count; then all in turn, again and again. */
async function compete(
  stage: Stage,
  contenders: readonly Contender[],
  check: (contender: Contender) => Promise<void>,
): Promise<Result[]> {
  const costs = new Map<Contender, Cost[]>(contenders.map((contender) => [contender, []]));
  for (let round = 0; round <= rounds; round += 1) {
    for (const contender of contenders) {
      if (contender.before !== undefined) await stage.shell(contender.before);
      const cost = await stage.measure(contender.script);
      if (round === 0) await check(contender);
      else costs.get(contender)?.push(cost);
      console.log(`${round}  ${cost.seconds.toFixed(2)} s  ${contender.name}`);
    }
  }
  return Promise.all(
    contenders.map(async (contender) => ({
      name: contender.name,
      isOurs: contender.isOurs ?? false,
      costs: costs.get(contender) ?? [],
      ...(contender.file === undefined
        ? {}
        : { fileBytes: (await stat(join(stage.directory, contender.file))).size }),
    })),
  );
}

/** The same at 1, 4 and 16 times a small size. */
async function grow(stage: Stage): Promise<GrowthPoint[]> {
  const points: GrowthPoint[] = [];
  for (const factor of [1, 4, 16]) {
    const database = `size_${factor}`;
    await stage.makeDatabase(database, smallScale(factor));
    const backupCosts: Cost[] = [];
    const restoreCosts: Cost[] = [];
    for (let round = 0; round < 3; round += 1) {
      await stage.shell('rm -f pratiko_backup_*');
      backupCosts.push(await stage.measure(`POSTGRES_DB=${database} ${tool} backup`));
      await stage.shell(fresh);
      restoreCosts.push(await stage.measure(`${tool} restore latest --yes --to loaded`));
    }
    const bytes = Number((await stage.shell(`pg_dump ${database} | wc -c`)).stdout);
    points.push({
      factor,
      megabytes: bytes / 1e6,
      backup: middle(backupCosts),
      restore: middle(restoreCosts),
    });
  }
  return points;
}

function middle(costs: readonly Cost[]): Cost {
  return {
    seconds: median(costs.map(({ seconds }) => seconds)),
    peakMegabytes: Math.max(...costs.map(({ peakMegabytes }) => peakMegabytes)),
  };
}
