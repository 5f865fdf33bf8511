import { quoteLiteral } from '../base/sql.ts';

/** As SQL: ends the session of a name, and waits until it is gone; it fails where it stays. */
export const endSessionNamed = (session: string): string => `DO $$ BEGIN
  FOR attempt IN 1..80 LOOP
    PERFORM pg_stat_clear_snapshot();
    PERFORM pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = ${quoteLiteral(session)};
    IF NOT FOUND THEN RETURN; END IF;
    PERFORM pg_sleep(0.1);
  END LOOP;
  RAISE 'the session does not end';
END $$;
`;

/** What a person can do that we could not. */
export const endSessionByHand = (session: string): string =>
  `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = ${quoteLiteral(session)};`;
