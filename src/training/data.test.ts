import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { filesOf } from '../../test/fixtures/training/memoryFiles.js';
import { setFileAccess } from '../files.js';
import { type DataSource, readParallelText } from './data.js';

/** Reads from files given as path to content. */
function readFrom(files: Parameters<typeof filesOf>[0], sources: DataSource[]) {
  setFileAccess(filesOf(files));
  return readParallelText(sources);
}

const columns = { sourceColumn: 1, targetColumn: 2 };

describe('readParallelText', () => {
  it('reads aligned files, gzipped or not, and joins sources', async () => {
    const files = {
      'a.en': 'one\ntwo\n',
      'a.fr': gzipSync('un\r\ndeux'),
      'b.en.gz': Buffer.concat([gzipSync('three\n'), gzipSync('fo\u2028ur\n')]),
      'b.fr.gz': gzipSync('\ufefftrois\nquatre\n'),
    };
    const text = await readFrom(files, [
      { source: 'a.en', target: 'a.fr', ...columns },
      { source: 'b.en.gz', target: 'b.fr.gz', ...columns },
    ]);
    expect(text).toEqual({
      source: ['one', 'two', 'three', 'fo\u2028ur'],
      target: ['un', 'deux', 'trois', 'quatre'],
      blank: 0,
      invalidLines: 0,
    });
  });

  it('reads columns of a tab-separated file in the order asked for', async () => {
    const files = { 'a.tsv': 'id1\tun\t"one"\textra\n\nid2\tdeux\ttwo\n' };
    const text = await readFrom(files, [{ tsv: 'a.tsv', sourceColumn: 3, targetColumn: 2 }]);
    expect(text).toEqual({ source: ['"one"', 'two'], target: ['un', 'deux'], blank: 1, invalidLines: 0 });
  });

  it('leaves out pairs with a blank side and counts them', async () => {
    const files = { 'a.en': 'one\n \nthree\n', 'a.fr': '\ndeux\ntrois\n' };
    const text = await readFrom(files, [{ source: 'a.en', target: 'a.fr', ...columns }]);
    expect(text).toEqual({ source: ['three'], target: ['trois'], blank: 2, invalidLines: 0 });
  });

  it('replaces invalid UTF-8 and counts the lines', async () => {
    const files = {
      'a.en': Buffer.concat([Buffer.from('fine\nbad '), Buffer.from([0xff, 0xfe]), Buffer.from('\nfine\n')]),
      'a.fr': 'un\ndeux\n\ufffd\n',
    };
    const text = await readFrom(files, [{ source: 'a.en', target: 'a.fr', ...columns }]);
    expect(text.invalidLines).toBe(1);
    expect(text.source).toEqual(['fine', 'bad \ufffd\ufffd', 'fine']);
  });

  it('names both counts where files have different length', async () => {
    const files = { 'a.en': 'one\ntwo\n', 'a.fr': 'un\n' };
    await expect(readFrom(files, [{ source: 'a.en', target: 'a.fr', ...columns }])).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: 'a.en has 2 lines but a.fr has 1: parallel files need one target line for each source line.',
    });
  });

  it('names the line that has too few columns', async () => {
    const files = { 'a.tsv': 'one\tun\ntwo deux\n' };
    await expect(readFrom(files, [{ tsv: 'a.tsv', ...columns }])).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringMatching(/^Line 2 of a\.tsv has 1 tab-separated column but column 2 is wanted/),
    });
  });

  it('refuses truncated, damaged and misnamed gzip files', async () => {
    const whole = gzipSync('one\ntwo\n');
    const damaged = Buffer.from(whole);
    damaged[damaged.length - 6] ^= 1;
    for (const [bytes, message] of [
      [whole.subarray(0, -5), /^a\.gz is a damaged gzip file \(.+\): fetch or compress it again\.$/],
      [damaged, /^a\.gz is a damaged gzip file/],
      [Buffer.from('version https://git-lfs'), /^a\.gz is not a gzip file/],
    ] as const) {
      await expect(
        readFrom({ 'a.gz': bytes, b: 'x\n' }, [{ source: 'a.gz', target: 'b', ...columns }]),
      ).rejects.toMatchObject({ code: 'FILE_CORRUPT', message: expect.stringMatching(message) });
    }
    await expect(readFrom({}, [{ source: 'a', target: 'b', ...columns }])).rejects.toMatchObject({
      code: 'FILE_NOT_FOUND',
    });
  });
});
