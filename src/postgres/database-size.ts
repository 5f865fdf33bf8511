/** As SQL: the bytes of the row `d` of pg_database; null where nobody may ask. */
export const databaseSize = `CASE WHEN d.datconnlimit <> -2 AND has_database_privilege(d.oid, 'CONNECT')
         THEN pg_database_size(d.oid) END`;
