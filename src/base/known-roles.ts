/** What a server knows of roles. */
export interface KnownRoles {
  readonly existing: ReadonlySet<string>;
  /** Those to which we may give objects. */
  readonly assignable: ReadonlySet<string>;
  /** Those that we may be for a while (SET SESSION AUTHORIZATION). */
  readonly impersonable: ReadonlySet<string>;
}
