import { objectIn, objectsIn, textIn } from '../../../fhicl/json/access.ts'
import type { JsonValue } from '../../../fhicl/json/model.ts'
import type { IndexFacts } from '../../store.ts'
import type { FrameNames } from './document-frame.ts'
import type { Members } from './document-members.ts'
import { indexName } from './index-names.ts'

/** What a document says of itself that an index repeats. `oid`: its file's. */
export function factsOf(json: Members, oid: string): IndexFacts {
  return {
    oid,
    version: indexName(textIn(json.get('version'))),
    configurations: objectsIn(json.get('configurations')).map((entry) => ({
      name: indexName(textIn(entry.get('name'))),
      assigned: indexName(textIn(entry.get('assigned'))),
    })),
    entities: names(json.get('entities')),
    aliases: names(objectIn(json.get('aliases'))?.get('active')),
    runs: names(json.get('runs')),
  }
}

const names = (value: JsonValue | undefined): readonly string[] =>
  objectsIn(value).map((entry) => indexName(textIn(entry.get('name'))))

/** The same of a document that holds each name once, as every document does that nobody has changed since this program stored it. */
export const factsOfNames = (
  { version, configuration, entity, run, stamp }: FrameNames,
  oid: string,
): IndexFacts => ({
  oid,
  version,
  configurations: [{ name: configuration, assigned: stamp }],
  entities: [entity],
  aliases: [],
  runs: [run],
})
