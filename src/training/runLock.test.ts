import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import '../node/install.js';
import { trainTiny } from '../../test/support/trainTiny.js';
import { aloneIn, requireAlone } from './runLock.js';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'polybeam-alone-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

test('a second run in a directory is refused by name, and the first one loses nothing', async () => {
  // Either may be the first at the lock.
  const runs = await Promise.allSettled([trainTiny(directory), trainTiny(directory)]);
  const done = runs.flatMap((run) => (run.status === 'fulfilled' ? [run.value] : []));
  const refused = runs.flatMap((run) => (run.status === 'rejected' ? [run.reason] : []));
  expect(refused).toHaveLength(1);
  expect(refused[0]).toMatchObject({
    code: 'RUN_IN_USE',
    message: expect.stringMatching(
      new RegExp(
        `^${directory}/run is in use by process ${process.pid} on \\S+, which began at 2\\S+Z: wait for it`,
      ),
    ),
  });
  expect(done).toMatchObject([{ reason: 'maxUpdates', updates: 40 }]);
  expect(readdirSync(join(directory, 'run'))).not.toContain('lock.json');
  // What ended is resumed, not refused.
  expect(await trainTiny(directory)).toMatchObject({ resumedFrom: 40 });
}, 120_000);

test('work that lost its lock is not saved', async () => {
  await aloneIn(directory, async () => {
    await requireAlone(directory);
    writeFileSync(join(directory, 'lock.json'), '{}');
    await expect(requireAlone(directory)).rejects.toMatchObject({
      code: 'RUN_IN_USE',
      message: expect.stringContaining("is no longer this run's"),
    });
  });
});

test('a failure of the work frees the directory', async () => {
  await expect(aloneIn(directory, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await aloneIn(directory, async () => 'done')).toBe('done');
});
