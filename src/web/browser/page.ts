import { atlas } from './atlas.ts'
import { charts } from './charts.ts'
import { live } from './live.ts'
import { logView } from './log.ts'
import { preferences } from './preferences.ts'

preferences()
live()
logView()
charts()
void atlas()
