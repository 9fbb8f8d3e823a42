import { type Commands, READERS } from './commands.ts'
import { COMING, DamagedSite, RUNS } from './damaged-site.ts'
import { damage, type Damaged, type Kind, pickFrom } from './damages.ts'

/** What else is lost after the damage, so that what was hidden until then is needed. */
const LOSSES = ['nothing', 'archive', 'indexes', 'work_dir', 'nothing', 'nothing'] as const
type Loss = (typeof LOSSES)[number]

/**
 * Whether an answer that is not what was archived is right where the checks find something. An update may be one document: where that is damaged and
 * the index that named it is lost, nothing in artdaqDB says any more that there was an update. The archive does, and the checks compare.
 */
type Allowed = (text: string | undefined, of: string) => boolean

/** What readers are given, by run and reader. */
type Answers = ReadonlyMap<string, string | undefined>

/** A damaged site, the commands to ask, and what they said when all was well. */
export class Trial {
  readonly #site: DamagedSite
  readonly #commands: Commands
  readonly #sound: Answers

  private constructor(site: DamagedSite, commands: Commands, sound: Answers) {
    this.#site = site
    this.#commands = commands
    this.#sound = sound
  }

  /** Asks the sound site. Throws where a reader gets nothing there, or a check finds something: then this test would see nothing. */
  static async on(site: DamagedSite, commands: Commands): Promise<Trial> {
    site.heal()
    site.come()
    if ((await commands.pass(false)) !== 0) throw new Error('a sound site is not archived')
    const trial = new Trial(site, commands, new Map())
    const sound = await trial.#answers([...RUNS, COMING])
    if ([...sound.values()].includes(undefined)) throw new Error('a sound site gives a reader nothing')
    if ((await commands.checks()).some((code) => code !== 0))
      throw new Error('a sound site is called damaged')
    return new Trial(site, commands, sound)
  }

  /** Another way to ask the same site: it must give the same bytes. */
  through(commands: Commands): Trial {
    return new Trial(this.#site, commands, this.#sound)
  }

  /**
   * Damages the site, asks all readers and checks, lets a pass archive a run that comes, asks again, loses something else, lets a pass make good what
   * it can, and asks again. Returns one sentence for each wrong answer.
   */
  try(random: () => number, kind?: Kind, places = this.#site.places): Promise<string[]> {
    return this.after(() => damage(places, random, kind), random)
  }

  /** The same where other programs stored the runs: their documents have no digest, so that another copy has to show the damage. */
  tryForeign(random: () => number, kind?: Kind): Promise<string[]> {
    return this.after(() => damage(this.#site.places, random, kind), random, { forges: true })
  }

  /** The same after any damage, of which `Deed` says what else holds. */
  async after(
    damaging: () => Damaged,
    random: () => number,
    { goesOn = false, restores = false, forges = false } = {},
  ): Promise<string[]> {
    const site = this.#site
    site.heal()
    const { what, paths, restores: isOlder = restores } = damaging()
    const incremental = random() < 0.5
    const loss = pickFrom(LOSSES, random)
    const { asked, again } = this.#asked(paths, random)
    const isFound = (await this.#commands.checks()).some((code) => code !== 0)
    const first = await this.#answers(asked)
    const isEarlier: Allowed = (text) => site.earlier.has(text ?? '')
    const isAllowed: Allowed = (text, of) =>
      (isOlder && isEarlier(text, of)) || (forges && !of.startsWith(`${COMING} `))
    const wrong = this.#wrong(first, isFound, isAllowed)
    if (!isFound) wrong.push(...site.foreignDifferences().map((path) => `${path} says something else, and nothing finds it`)) // prettier-ignore
    const digest = site.digest
    site.come()
    const code = await this.#commands.pass(incremental)
    const isAsBefore = site.digest === digest
    const later = await this.#answers(isAsBefore ? [COMING] : [...again, COMING])
    if (code === 0 && [...later].some(([of, text]) => of.startsWith(`${COMING} `) && text === undefined))
      wrong.push(`a pass ends with 0, and ${COMING} cannot be read`)
    if (goesOn && READERS.some((reader) => later.get(`${COMING} ${reader}`) === undefined))
      wrong.push(`a pass did not archive ${COMING}`)
    // A pass that ends with 1 says itself that it did not archive the run.
    const told =
      code === 0
        ? later
        : new Map([...later].filter(([of, text]) => text !== undefined || !of.startsWith(`${COMING} `)))
    wrong.push(
      ...(await this.#judged(new Map([...(isAsBefore ? first : []), ...told]), 'then a pass', isAllowed)),
    )
    if (loss !== 'nothing') {
      lose(site, loss)
      await this.#commands.pass(false)
      const last = await this.#answers([...again, COMING])
      const eitherAllowed: Allowed = (text, of) => isEarlier(text, of) || isAllowed(text, of)
      wrong.push(...(await this.#judged(last, `then ${loss} lost, and a pass`, eitherAllowed)))
    }
    return wrong.map((text) => `${what}: ${text}`.replaceAll(site.site.root, ''))
  }

  async #judged(answers: Answers, when: string, isAllowed: Allowed): Promise<string[]> {
    const isRight = ([of, text]: [string, string | undefined]): boolean => text === this.#sound.get(of)
    if ([...answers].every(isRight)) return []
    const isFound = (await this.#commands.checks()).some((code) => code !== 0)
    return this.#wrong(answers, isFound, isAllowed).map((text) => `${when}: ${text}`)
  }

  /** Other bytes than were archived; or a reader who gets nothing, and no check that says why. */
  #wrong(answers: Answers, isFound: boolean, isAllowed: Allowed): string[] {
    return [...answers].flatMap(([of, text]) => {
      if (text === undefined) return isFound ? [] : [`${of} cannot be read, and nothing finds it`]
      return text === this.#sound.get(of) || (isFound && isAllowed(text, of)) ? [] : [`wrong bytes of ${of}`]
    })
  }

  /** The runs that the damage is about, as far as that is known, and one more; and those of them to be asked again after a pass. */
  #asked(
    paths: readonly string[],
    random: () => number,
  ): { readonly asked: readonly number[]; readonly again: readonly number[] } {
    const { mostRuns = RUNS.length } = this.#commands
    const about = this.#site.runsOf(paths).slice(0, mostRuns)
    const asked = [...new Set([...about, pickFrom(RUNS, random)])]
    return { asked, again: about.length > 0 && random() < 0.75 ? about : asked }
  }

  async #answers(runs: readonly number[]): Promise<Answers> {
    const answers = new Map<string, string | undefined>()
    for (const run of runs)
      for (const reader of READERS)
        answers.set(`${run} ${reader}`, await this.#site.given(this.#commands, run, reader))
    return answers
  }
}

const lose = (site: DamagedSite, loss: Exclude<Loss, 'nothing'>): void => {
  switch (loss) {
    case 'indexes':
      site.loseIndexes()
      break
    case 'archive':
      // With the state that knows of it: else a pass takes it for a disk that is not mounted.
      site.lose('archive')
      site.lose('work')
      break
    case 'work_dir':
      site.lose('work')
      break
  }
}
