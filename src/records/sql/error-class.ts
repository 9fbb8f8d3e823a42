/**
 * What an error of a database means for the item in hand:
 * `duplicate` a row with this key is there; `constraint`, `refused` the item will never be taken as it is; `transient` the same again may
 * succeed; `unknown` the commit may have happened; `unavailable` no item can be stored at all, so that none is to blame.
 */
export type ErrorClass = 'duplicate' | 'constraint' | 'refused' | 'transient' | 'unknown' | 'unavailable'
