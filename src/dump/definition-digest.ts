import { hash } from 'node:crypto';
import { comparableText, looseText } from './comparable-text.ts';
import { policyRolesIn, rolesIn } from './role-filter.ts';

/** A definition: statements about an object. */
export interface Definition {
  /** As pg_dump calls the object: `INDEX public.places_name_idx`; or the statement's first words. */
  readonly object: string;
  /** Tells apart what it says, but for casts and parentheses. */
  readonly meaning: string;
  /** It says who owns something, or who may do what with it. */
  readonly isOwnership: boolean;
  /** How many statements there are that say the same. */
  readonly count: number;
}

/** Where and how what is created next is stored. */
const storage = /^SET (default_tablespace|default_table_access_method) = (.*);$/;
const stored = /^CREATE (?:UNLOGGED )?TABLE |^CREATE (?:UNIQUE )?INDEX |^CREATE MATERIALIZED VIEW /;

/** Collects definitions, each with where what it creates is stored. */
export class DefinitionDigest {
  readonly #storage = new Map<string, string>();
  /** By the digest of what they say. */
  readonly definitions = new Map<string, Definition>();

  /** @returns whether the statement says where what follows is stored. */
  takeStorage(statement: string): boolean {
    const [, setting, value = ''] = storage.exec(statement) ?? [];
    if (setting === undefined) return false;
    this.#storage.set(setting, value);
    return true;
  }

  /** @param object as pg_dump calls it, if it does. */
  add(text: string, object: string | undefined): void {
    const where = stored.test(text) ? JSON.stringify([...this.#storage]) : '';
    this.#define(hash('sha256', comparableText(text) + where), text, object, where);
  }

  /** @param digest of one that is too long to have a text; `head` is how it begins. */
  addLong(digest: string, head: string, object: string | undefined): void {
    this.#define(digest, head, object, '');
  }

  #define(key: string, text: string, object: string | undefined, where: string): void {
    const count = (this.definitions.get(key)?.count ?? 0) + 1;
    this.definitions.set(key, {
      object: object ?? firstWords(text),
      meaning: hash('sha256', looseText(text) + where),
      isOwnership: rolesIn(text).length > policyRolesIn(text).length,
      count,
    });
  }
}

const firstWords = (text: string) => text.split(/\s+/).slice(0, 4).join(' ');
