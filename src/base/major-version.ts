/** The major version of PostgreSQL: `15` for `15.18 (Debian …)`. */
export const majorVersion = (version: string): number => Number.parseInt(version, 10);
