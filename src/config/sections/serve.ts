import { boolean, integer, list, path, text } from '../value-types.ts'
import { key, optional, section } from '../schema.ts'

export const serve = section('`run-archiver serve`, the web page and its API.', {
  host: key(text, '127.0.0.1', {
    doc: 'The address that it listens on. Another one than 127.0.0.1 or ::1 needs `token_file`.',
  }),
  port: key(integer(0, 65_535), '8090', { doc: 'The port. 0: a free one.' }),
  site: optional(text, { doc: 'The name in the side list. Left out: the name of the host.' }),
  base_path: key(text, '', {
    doc: 'Begins every address, such as `/archiver`, where a reverse proxy hands that on.',
  }),
  public_url: optional(text, {
    doc: 'The address that readers type, such as `https://daq.example.org/archiver`. Only this name and the one listened on are answered.',
  }),
  token_file: optional(path, {
    doc: 'A file with the token that lets its holder retry, stop and silence. Left out: the page is read only.',
  }),
  report_token_file: optional(path, {
    doc: 'A file with the token with which pipelines report executions by HTTP. Left out: only with the token of `token_file`.',
  }),
  log_roots: key(list(path), [], {
    doc: 'Folders of this host whose log files the page may show. The folder of `app.log_file` is one of them.',
  }),
  keys: key(boolean, 'true', { doc: 'Whether single keys work, such as `g` and `/`.' }),
})
