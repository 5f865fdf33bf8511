import { expect, test } from 'vitest';
import { policyRolesIn, RoleFilter } from '../../src/dump/role-filter.ts';

const roles = {
  existing: new Set(['app', 'boss', 'Röle "x"']),
  assignable: new Set(['app']),
  impersonable: new Set(['app']),
};

const filter = (options: { owners?: boolean; privileges?: boolean } = {}) =>
  new RoleFilter({ roles, owners: true, privileges: true, ...options });

test.each([
  ['ALTER TABLE public.t OWNER TO app;', true],
  ['ALTER TABLE public.t OWNER TO boss;', false],
  ['ALTER FUNCTION public.f(a integer) OWNER TO "gone;";', false],
  ['ALTER LARGE OBJECT 7 OWNER TO gone;', false],
  ["ALTER TABLE t ALTER COLUMN c SET DEFAULT 'x OWNER TO gone';", true],
  ['GRANT SELECT ON TABLE public.t TO boss;', true],
  ['GRANT SELECT ON TABLE public.t TO PUBLIC;', true],
  ['GRANT SELECT ON TABLE public.t TO "Röle ""x""" WITH GRANT OPTION;', true],
  ['GRANT SELECT ON TABLE public.t TO gone WITH GRANT OPTION;', false],
  ['REVOKE ALL ON TABLE public.t FROM gone;', false],
  ['ALTER DEFAULT PRIVILEGES FOR ROLE app IN SCHEMA public GRANT SELECT ON TABLES TO boss;', true],
  ['ALTER DEFAULT PRIVILEGES FOR ROLE boss GRANT SELECT ON TABLES TO app;', false],
  ['ALTER DEFAULT PRIVILEGES FOR ROLE app REVOKE ALL ON TABLES FROM gone;', false],
  ['CREATE TABLE public.t (a integer);', true],
])('%s is kept: %s', (statement, kept) => {
  expect(filter().keeps(statement)).toBe(kept);
});

test('what is granted as a role that we cannot be is left out with its frame', () => {
  const ownership = filter();
  const kept = [
    'SET SESSION AUTHORIZATION gone;',
    'GRANT SELECT ON TABLE t TO app;',
    'RESET SESSION AUTHORIZATION;',
    'GRANT INSERT ON TABLE t TO app;',
  ].filter((statement) => ownership.keeps(statement));
  expect(kept).toEqual(['GRANT INSERT ON TABLE t TO app;']);
  expect(ownership.skipped).toEqual({ statements: 3, roles: ['gone'], unassignable: [] });
});

test('a role that is there, and to whom this user may give nothing, is told apart', () => {
  const ownership = filter();
  expect(ownership.keeps('ALTER TABLE t OWNER TO boss;')).toBe(false);
  expect(ownership.skipped).toEqual({ statements: 1, roles: ['boss'], unassignable: ['boss'] });
});

test.each([
  ['CREATE POLICY p ON public.t TO app USING (true);', ['app']],
  [
    'CREATE POLICY p ON public.t AS RESTRICTIVE FOR SELECT TO app, "a, b" USING (x);',
    ['app', 'a, b'],
  ],
  ['CREATE POLICY "p TO q" ON "s.x"."t TO" USING (\' TO nobody, \' = a);', []],
])('roles of a policy: %s', (statement, roles) => {
  expect(policyRolesIn(statement)).toEqual(roles);
});

test('--no-owner and --no-privileges leave out all, without a word about roles', () => {
  const ownership = filter({ owners: false, privileges: false });
  expect(ownership.keeps('ALTER TABLE t OWNER TO app;')).toBe(false);
  expect(ownership.keeps('GRANT SELECT ON TABLE t TO PUBLIC;')).toBe(false);
  expect(ownership.skipped).toEqual({ statements: 2, roles: [], unassignable: [] });
});
