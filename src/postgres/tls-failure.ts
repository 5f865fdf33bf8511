/** What a program says where an encrypted connection fails, and which variable is about it; most specific first. */
const sayings: readonly { readonly pattern: RegExp; readonly hint: string }[] = [
  {
    pattern: /does not match host name|could not get server's host name/,
    hint: "POSTGRES_HOST must be a name that is in the server's certificate; PGSSLMODE=verify-ca checks all but the name",
  },
  {
    pattern: /root certificate|root\.crt|sslrootcert/i,
    hint: "PGSSLROOTCERT names the file with the certificate of the authority that signed the server's (`system` for those of this machine, from PostgreSQL 16 on)",
  },
  {
    pattern: /certificate verify failed/,
    hint: "the server's certificate is not by an authority in PGSSLROOTCERT, or has expired: `openssl s_client -starttls postgres -connect HOST:PORT` shows both",
  },
  {
    pattern: /private key|certificate present, but|client certificate|alert|certificate file/i,
    hint: 'PGSSLCERT and PGSSLKEY name the certificate of the user and its key, which nobody else may read (chmod 600)',
  },
  {
    pattern: /certificate|SSL error/,
    hint: 'see PGSSLMODE, PGSSLROOTCERT, PGSSLCERT and PGSSLKEY',
  },
];

/** What to do about an encrypted connection that failed; undefined where something else did. */
export const tlsHint = (stderr: string): string | undefined =>
  sayings.find(({ pattern }) => pattern.test(stderr))?.hint;
