import { url } from '../addresses.ts'
import { boolean, integer, type Kind, list, path, special, text } from '../value-types.ts'
import { key, optional, section } from '../schema.ts'

/** A path below which all addresses lie; a slash at its end is dropped. */
const addressPath: Kind<string> = special('path such as /archiver', (value) => {
  if (/^(?:\/[\w.~-]+)*\/*$/.test(value)) return value.replace(/\/+$/, '')
  throw new SyntaxError('must be a path such as /archiver')
})

/** What readers type. Nothing is asked there. */
const ownAddress: Kind<string> = {
  ...url('https', 'http'),
  type: 'address with https:// or http://',
}

export const serve = section('`run-archiver serve`, the web page and its API.', {
  host: key(text, '127.0.0.1', {
    doc: 'The address that it listens on. One that others can reach needs `token_file`.',
  }),
  port: key(integer(0, 65_535), '8090', { doc: 'The port. 0: a free one.' }),
  site: optional(text, { doc: 'The name in the side list. Left out: the name of the host.' }),
  base_path: key(addressPath, '', {
    doc: 'Begins every address, such as `/archiver`, where a reverse proxy hands that on.',
  }),
  public_url: optional(ownAddress, {
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
