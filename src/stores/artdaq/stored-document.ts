import { isArray, JsonObject, type JsonValue } from '../../core/artdaq-json/model.ts'
import { readJson } from '../../core/artdaq-json/reader.ts'
import { escapeText, writeJson } from '../../core/artdaq-json/writer.ts'
import { ArchiverError, messageOf } from '../../errors.ts'
import { readAttachments, toPlain, type Attachments, type Plain } from './attachments.ts'
import type { IndexFacts } from './collection-index.ts'
import { readOriginals, type Originals } from './originals.ts'

/** A document as it stands in a collection, taken apart as far as it is asked for. */
export class Stored {
  readonly path: string
  readonly facts: IndexFacts
  /** When it was made (`bookkeeping.created`); empty where it does not say. */
  readonly created: string
  /** The oid it gives itself, which should be its file's name. */
  readonly ownOid: string
  /** The collection it gives itself. */
  readonly ownCollection: string
  readonly json: JsonObject

  constructor(json: JsonObject, oid: string, path: string) {
    this.path = path
    this.json = json
    this.facts = factsOf(json, oid)
    this.created = text(object(json.get('bookkeeping'))?.get('created'))
    this.ownOid = text(object(json.get('_id'))?.get('$oid'))
    this.ownCollection = text(json.get('collection'))
  }

  /** Parameters and comments, as artdaq's JSON: equal texts are equal documents, whenever and by whom they were stored. */
  get content(): string {
    return contentOf(this.#part('data'), this.#part('metadata'))
  }

  get rawdata(): readonly string[] {
    return texts(object(this.json.get('origin'))?.get('rawdata'))
  }

  get attachments(): readonly Plain[] {
    const value = this.json.get('attachments')
    return isArray(value) ? value.map(toPlain) : []
  }

  /** The record's file that it was made from, where we stored it. Throws STORE_CORRUPT where that is damaged. */
  get originals(): Originals {
    return readOriginals(this.rawdata, this.path)
  }

  /** The manifest and the files that it carries for its run, where we stored it. Throws STORE_CORRUPT likewise. */
  get kept(): Attachments {
    return readAttachments(this.attachments, this.path)
  }

  /** Throws STORE_CORRUPT, naming the file, where originals or manifest are damaged. */
  checkOriginals(): void {
    readOriginals(this.rawdata, this.path)
    readAttachments(this.attachments, this.path)
  }

  #part(name: 'data' | 'metadata'): JsonObject {
    const part = object(object(this.json.get('document'))?.get(name))
    if (part) return part
    throw new ArchiverError('STORE_CORRUPT', `${this.path} has no document.${name}`)
  }
}

/** Reads a document's file. Throws STORE_CORRUPT, naming the file, where it is no document. */
export function readStored(bytes: Buffer, oid: string, path: string): Stored {
  try {
    const json = readJson(bytes.toString('utf8'))
    if (!object(json.get('document'))) throw new ArchiverError('STORE_CORRUPT', 'it holds no document')
    return new Stored(json, oid, path)
  } catch (error) {
    throw new ArchiverError('STORE_CORRUPT', `${path} is damaged: ${messageOf(error)}`, { cause: error })
  }
}

export const contentOf = (data: JsonObject, metadata: JsonObject): string =>
  `${writeJson(data)}\n${writeJson(metadata)}`

/** A name as an index holds it: the bytes of its escaped form. */
export const indexName = (name: string): string => Buffer.from(escapeText(name), 'utf8').toString('latin1')

/** The name that an index holds as bytes, for people. */
export const shownName = (name: string): string => Buffer.from(name, 'latin1').toString('utf8')

function factsOf(json: JsonObject, oid: string): IndexFacts {
  return {
    oid,
    version: indexName(text(json.get('version'))),
    configurations: objects(json.get('configurations')).map((entry) => ({
      name: indexName(text(entry.get('name'))),
      assigned: indexName(text(entry.get('assigned'))),
    })),
    entities: names(json.get('entities')),
    aliases: names(object(json.get('aliases'))?.get('active')),
    runs: names(json.get('runs')),
  }
}

const names = (value: JsonValue | undefined): readonly string[] =>
  objects(value).map((entry) => indexName(text(entry.get('name'))))

const object = (value: JsonValue | undefined): JsonObject | undefined =>
  value instanceof JsonObject ? value : undefined

const objects = (value: JsonValue | undefined): readonly JsonObject[] =>
  isArray(value) ? value.filter((entry) => entry instanceof JsonObject) : []

const text = (value: JsonValue | undefined): string => (typeof value === 'string' ? value : '')

const texts = (value: JsonValue | undefined): readonly string[] =>
  isArray(value) ? value.filter((entry) => typeof entry === 'string') : []
