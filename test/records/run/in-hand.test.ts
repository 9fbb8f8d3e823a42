import { readdirSync, readFileSync, statSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { temporaryFolder } from '../temporary-folder.ts'
import { InHand } from '../../../src/records/run/in-hand.ts'

let folder: string
beforeEach(() => void (folder = temporaryFolder('in-hand')))

/** A process that is gone when the next one looks. */
const open = (pid: number, bootId = 'boot'): InHand =>
  InHand.open({
    folder,
    task: 'orders',
    self: { host: 'h', user: 'u', pid, bootId, startTicks: pid },
    startTicksOf: () => undefined,
  })
const only = (): string => join(folder, readdirSync(folder)[0] ?? '')
const lossesOf = (hand: InHand, ...keys: string[]): number[] => keys.map((key) => hand.lossesOf(key))

describe('items that a process had in hand', () => {
  it('are lost once by its death, and no others', () => {
    const first = open(1)
    for (const key of ['a', 'b\n"', 'c']) first.take(key)
    first.drop('a')
    first.take('d')
    expect(lossesOf(open(2), 'a', 'b\n"', 'c', 'd', 'e')).toEqual([0, 1, 1, 1, 0])
    expect(readdirSync(folder)).toHaveLength(1)
  })
  it('are lost once more by the next death, until they are done', () => {
    open(1).take('a')
    open(2).take('a')
    const third = open(3)
    expect(lossesOf(third, 'a')).toEqual([2])
    third.take('a')
    third.drop('a')
    expect(lossesOf(open(4), 'a')).toEqual([0])
  })
  it('and gave back are as suspect as before, so that poison is known in time', () => {
    open(1).take('a')
    const second = open(2)
    second.take('a')
    second.take('b')
    second.release('a')
    second.release('b')
    second.take('c')
    second.close()
    expect(lossesOf(open(3), 'a', 'b', 'c')).toEqual([1, 0, 0])
  })
  it('are not lost by an orderly end, nor by a reboot', () => {
    const first = open(1)
    first.take('a')
    first.close()
    expect(readdirSync(folder)).toEqual([])
    open(2, 'before').take('a')
    expect(lossesOf(open(3), 'a')).toEqual([0])
  })
  it('are known but for the one whose line was cut off', () => {
    const first = open(1)
    first.take('a')
    first.take('b')
    truncateSync(only(), statSync(only()).size - 2)
    expect(lossesOf(open(2), 'a', 'b')).toEqual([1, 0])
  })
  it('are kept in a file that does not grow for ever', () => {
    const first = open(1)
    for (let key = 0; key < 20_000; key++) {
      first.take(String(key))
      if (key % 3 > 0) first.drop(String(key))
      if (key >= 30 && key % 3 === 0) first.drop(String(key - 30))
    }
    expect(readFileSync(only()).length).toBeLessThan(70_000)
    expect(lossesOf(open(2), '0', '19970', '19971', '19997', '19998')).toEqual([0, 0, 1, 0, 1])
  })
})
