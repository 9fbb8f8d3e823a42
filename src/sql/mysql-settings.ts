/**
 * Settings of a session of MariaDB or MySQL that a server may have as other defaults, under which a statement would do something else: a change that is
 * never committed, a read that ends after so many rows, keys that are not checked.
 */
export const PLAIN_SETTINGS = [
  "time_zone = '+00:00'",
  'autocommit = 1',
  "completion_type = 'NO_CHAIN'",
  'foreign_key_checks = 1',
  'unique_checks = 1',
  'sql_safe_updates = 0',
  'sql_select_limit = 18446744073709551615',
  'sql_auto_is_null = 0',
  'sql_big_selects = 1',
].join(', ')
