import { workerData } from 'piscina'
import { readMapping } from './records/mapping/read-mapping.ts'
import { answerOf, type MapAnswer, type MapTask, type MapThreadStart } from './records/workers/map-task.ts'

const { text, file } = workerData as MapThreadStart
const mapping = readMapping(text, file)

/** Maps one payload in a thread of its own (records/workers/map-threads.ts sends it here); without one, says that the thread is there. */
export default (task: MapTask | undefined): MapAnswer | undefined => task && answerOf(task, mapping)
