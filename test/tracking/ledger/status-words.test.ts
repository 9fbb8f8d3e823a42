import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  endState,
  judge,
  stateOf,
  STATES,
  statesOf,
  wordsOf,
  type HostFacts,
  type OpenExecution,
} from '../../../src/tracking/ledger/status-words.ts'

const execution: OpenExecution = {
  host: 'daq01',
  pid: 4711,
  bootId: 'boot-a',
  startTicks: 1000,
  startedAt: 1_000_000,
  heartbeatAt: 1_060_000,
}
const facts: HostFacts = {
  host: 'daq01',
  bootId: 'boot-a',
  bootTime: 900_000,
  startTicks: 1000,
  seesOthers: true,
  now: 2_000_000,
  silence: 3_600_000,
  quiet: 45_000,
}

describe('an execution that has no end', () => {
  it('is alive when its process is', () => {
    expect(judge(execution, facts)).toEqual({ verdict: 'alive' })
  })
  it('is a SYSTEM_REBOOT when the machine has another boot id, whoever has the pid now', () => {
    expect(judge(execution, { ...facts, bootId: 'boot-b' })).toMatchObject({ verdict: 'system_reboot' })
  })
  it('is a SYSTEM_REBOOT when it began before boot and nobody wrote down a boot id', () => {
    const foreign = { ...execution, bootId: null, startTicks: null }
    expect(judge(foreign, { ...facts, bootTime: 1_500_000 })).toMatchObject({ verdict: 'system_reboot' })
  })
  it('is not a reboot when only the clock was set: the boot id is the same', () => {
    expect(judge(execution, { ...facts, bootTime: 1_500_000 })).toEqual({ verdict: 'alive' })
  })
  it('is not a reboot when boot time and start are a second apart', () => {
    const foreign = { ...execution, bootId: null, startTicks: null }
    expect(judge(foreign, { ...facts, bootTime: 1_001_000 })).toEqual({ verdict: 'alive' })
  })
  it('is TERMINATED when its process is gone', () => {
    expect(judge(execution, { ...facts, startTicks: undefined })).toEqual({
      verdict: 'terminated',
      reason: 'Process 4711 disappeared (killed, crash or power cut)',
    })
  })
  it('is alive while it is heard of, where the processes of others are hidden', () => {
    const hidden = { ...facts, startTicks: undefined, seesOthers: false }
    expect(judge(execution, { ...hidden, now: 1_105_000 })).toEqual({ verdict: 'alive' })
    expect(judge(execution, { ...hidden, now: 1_105_001 })).toMatchObject({ verdict: 'terminated' })
    expect(judge({ ...execution, heartbeatAt: null }, { ...hidden, now: 1_045_000 })).toEqual({
      verdict: 'alive',
    })
    expect(judge(execution, { ...hidden, bootId: 'boot-b' })).toMatchObject({ verdict: 'system_reboot' })
  })
  it('is TERMINATED when somebody else has its pid', () => {
    expect(judge(execution, { ...facts, startTicks: 2000 })).toMatchObject({
      verdict: 'terminated',
      reason: expect.stringContaining('another process has its pid') as string,
    })
  })
  it('is left alone when it is on another host that was heard of lately', () => {
    expect(judge({ ...execution, host: 'daq02' }, facts)).toEqual({ verdict: 'elsewhere' })
  })
  it('is TERMINATED when another host has been silent for too long', () => {
    const late = { ...facts, now: 1_060_000 + 3_600_001 }
    expect(judge({ ...execution, host: 'daq02' }, late)).toMatchObject({
      verdict: 'terminated',
      reason: 'no heartbeat from daq02 for 1 h',
    })
  })
  it('is TERMINATED when its last heartbeat lies in the future for too long: that clock was set back', () => {
    const future = { ...execution, host: 'daq02', heartbeatAt: facts.now + 3_600_001 }
    expect(judge(future, facts)).toMatchObject({ verdict: 'terminated' })
    expect(judge({ ...future, heartbeatAt: facts.now + 60_000 }, facts)).toEqual({ verdict: 'elsewhere' })
  })
  it('counts from its start when it never sent a heartbeat', () => {
    const silent = { ...execution, host: 'daq02', heartbeatAt: null }
    expect(judge(silent, { ...facts, now: 1_000_000 + 3_600_001 })).toMatchObject({ verdict: 'terminated' })
  })
})

describe('the words of older programs', () => {
  it.each(STATES)('give %s back from the two columns that hold it', (state) => {
    const { execution: status, reason } = wordsOf(state)
    expect(stateOf(status, reason)).toBe(state)
  })
  it('take a row of another program, which has no reason, by its status', () => {
    expect(stateOf('FINISHED', null)).toBe('done')
    expect(stateOf('FAILED', null)).toBe('failed')
    expect(stateOf('CANCELLED', null)).toBe('killed')
    expect(stateOf('RUNNING', null)).toBe('running')
  })
  it.each([
    ['killed', 'KILLED'],
    ['terminated', 'TERMINATED'],
    ['system_reboot', 'SYSTEM_REBOOT'],
    ['partial', 'PARTIAL'],
    ['done', 'COMPLETED'],
    ['failed', 'FAILED'],
    ['running', 'RUNNING'],
  ] as const)('call %s %s in process_logs', (state, word) => {
    expect(wordsOf(state).process).toBe(word)
    expect(statesOf(word)).toContain(state)
    expect(statesOf(word.toLowerCase())).toContain(state)
  })
  it.each([
    ['FAILED', ['failed', 'pending']],
    ['FINISHED', ['done', 'partial', 'skipped']],
    ['terminated', ['terminated']],
  ])(
    'mean by %s what process_logs means, and what tasker.executions means only where that has no such word',
    (word, states) => {
      expect(statesOf(word)).toEqual(states)
    },
  )
  it('know no other word', () => expect(statesOf('SLEEPING')).toBeUndefined())
  it('never call a run archived that is not', () => {
    for (const state of STATES)
      if (!['done', 'partial', 'skipped'].includes(state)) {
        expect(wordsOf(state).file).not.toBe('COMPLETED')
        expect(wordsOf(state).item).not.toBe('success')
      }
  })
})

describe('the end of an execution', () => {
  it('is done only when nothing failed, nothing broke and nothing stopped it', () => {
    fc.assert(
      fc.property(
        fc.record({
          failed: fc.nat(3),
          succeeded: fc.nat(3),
          error: fc.boolean(),
          stopped: fc.option(fc.constant('SIGTERM'), { nil: undefined }),
        }),
        (end) => {
          expect(endState(end) === 'done').toBe(end.failed === 0 && !end.error && end.stopped === undefined)
        },
      ),
    )
  })
})
