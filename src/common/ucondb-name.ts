const NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$/

/** What `isArchiveName` asks for, in words. */
export const ARCHIVE_NAME = 'ASCII letters, digits, ".", "_" and "-", not beginning with "." or "-"'

/** Whether a text can name a folder or an object of the archive: it becomes part of a path and of a URL. */
export const isArchiveName = (name: string): boolean => NAME.test(name)
