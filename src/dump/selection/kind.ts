import { qualified } from '../../base/sql.ts';

/** What a statement of a dump is for: it sets up the session, makes objects, or fills them. */
type StatementKind = 'session' | 'definition' | 'data';

const session = /^(?:SET |RESET |SELECT pg_catalog\.set_config\()/;
/** pg_dump writes transactions only around large objects. */
const data =
  /^(?:COPY |INSERT INTO |SELECT pg_catalog\.(?:setval|lo_|lowrite)|BEGIN;|COMMIT;|REFRESH MATERIALIZED VIEW |ALTER LARGE OBJECT |SELECT \* FROM pg_catalog\.pg_\w+_stats)/;

/** @param head how the statement begins. */
export const kindOf = (head: string): StatementKind =>
  session.test(head) ? 'session' : data.test(head) ? 'data' : 'definition';

const rows = new RegExp(`^(?:COPY|INSERT INTO) ${qualified}`);

/** The table that a statement fills, as the dump writes it. */
export const tableFilledBy = (head: string): string | undefined => rows.exec(head)?.[1];
