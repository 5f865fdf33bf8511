/** What a server knows of roles. */
export interface KnownRoles {
  readonly existing: ReadonlySet<string>;
  /** Roles to which we may give objects. */
  readonly assignable: ReadonlySet<string>;
  /** Roles that we may be for a while (SET SESSION AUTHORIZATION). */
  readonly impersonable: ReadonlySet<string>;
}
