import type { Setting } from './setting.ts';
import { integer, offsiteUrls, oneOf } from './values.ts';

/** Where copies go, and what becomes of them there. */
export const offsiteSettings = {
  offsiteUrl: {
    variables: ['OFFSITE_URL'],
    schema: offsiteUrls,
    help: 'where copies go: `s3://bucket/prefix`, `file:///directory`, `rclone:REMOTE:PATH`; several, separated by spaces',
  },
  offsiteTimeout: {
    variables: ['OFFSITE_TIMEOUT'],
    schema: integer(1, 2_000_000),
    help: 'seconds that copying may take in one run',
  },
  offsiteRetentionDays: {
    variables: ['OFFSITE_RETENTION_DAYS'],
    schema: integer(1, 36_500),
    help: 'calendar days to keep copies; else as `RETENTION_DAYS`, and so on',
  },
  offsiteRetentionKeepMin: {
    variables: ['OFFSITE_RETENTION_KEEP_MIN'],
    schema: integer(1, 36_500),
    help: 'good copies that always remain',
  },
  offsiteRetentionWeeks: {
    variables: ['OFFSITE_RETENTION_WEEKS'],
    schema: integer(0, 5200),
    help: 'weeks of which the newest copy is kept, beyond the days',
  },
  offsiteRetentionMonths: {
    variables: ['OFFSITE_RETENTION_MONTHS'],
    schema: integer(0, 1200),
    help: 'months, the same',
  },
  offsiteRetentionYears: {
    variables: ['OFFSITE_RETENTION_YEARS'],
    schema: integer(0, 100),
    help: 'years, the same',
  },
  offsitePrune: {
    variables: ['OFFSITE_PRUNE'],
    schema: oneOf(['always', 'never']),
    default: 'always',
    help: '`never`: no copy is removed, for places where they expire or may not be',
  },
} as const satisfies Readonly<Record<string, Setting>>;
