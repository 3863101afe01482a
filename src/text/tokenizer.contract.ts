import { mkdtempSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type FileAccess, setFileAccess } from '../files.js';
import { installTokenizers } from '../node/tokenizers.js';
import type { Tokenizer } from './tokenizer.js';

/** Where the text fixtures are. */
export const fixtures = 'test/fixtures/text';

/** A JSON fixture. */
export function readFixture<T>(name: string): T {
  return JSON.parse(readFileSync(`${fixtures}/${name}`, 'utf8'));
}

/** The awkward texts that every tokenizer is tried with. */
export const strings = readFixture<string[]>('strings.json');

/** The training texts. */
export const corpus = readFileSync(`${fixtures}/corpus.txt`, 'utf8').trimEnd().split('\n');

/** The real disk and the real packages, for tests. */
export function useDisk(): void {
  setFileAccess(diskFiles as FileAccess);
  installTokenizers();
}

/** An empty directory. */
export function temporaryDirectory(): string {
  return mkdtempSync(join(tmpdir(), 'polybeam-text-'));
}

const diskFiles: Partial<FileAccess> = {
  read: async (path) => readFileSync(path),
  size: async (path) => statSync(path, { throwIfNoEntry: false })?.size,
  list: async (directory) =>
    statSync(directory, { throwIfNoEntry: false }) ? readdirSync(directory).sort() : [],
  async writeAtomic(path, chunks) {
    const parts: Uint8Array[] = [];
    for await (const chunk of chunks) parts.push(chunk);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(`${path}.part`, Buffer.concat(parts));
    await rename(`${path}.part`, path);
  },
};

/** What every tokenizer does, whatever it is made of. */
export function tokenizerContract(name: string, load: () => Promise<Tokenizer>, pairs: boolean): void {
  describe(`${name} keeps the tokenizer contract`, () => {
    let tokenizer: Tokenizer;
    const text = 'The small editor opens every file (version 2.0).';
    beforeAll(async () => {
      useDisk();
      tokenizer = await load();
    });

    it('maps every token to its id and back', () => {
      for (let id = 0; id < tokenizer.vocabSize; id++) {
        const token = tokenizer.idToToken(id);
        if (token !== undefined) expect(tokenizer.tokenToId(token)).toBe(id);
      }
      expect(tokenizer.idToToken(tokenizer.vocabSize)).toBeUndefined();
      expect(tokenizer.tokenToId('no such token')).toBeUndefined();
    });

    it('knows the ids of its special tokens', () => {
      expect(Object.keys(tokenizer.specialIds)).not.toHaveLength(0);
      for (const [role, id] of Object.entries(tokenizer.specialIds)) {
        expect(tokenizer.idToToken(id)).toBe(tokenizer.specialTokens[role as 'pad']);
      }
    });

    it('encodes and decodes a batch as one by one', async () => {
      const texts = strings.slice(0, 40);
      const one = await Promise.all(texts.map((each) => tokenizer.encode(each, { maxLength: 9 })));
      expect(await tokenizer.encodeBatch(texts, { maxLength: 9 })).toEqual(one);
      const sequences = one.map(({ ids }) => Int32Array.from(ids));
      const decoded = await Promise.all(sequences.map((ids) => tokenizer.decode(ids)));
      expect(await tokenizer.decodeBatch(sequences)).toEqual(decoded);
    });

    it('cuts text, never special tokens, to maxLength', async () => {
      const whole = await tokenizer.encode(text);
      const bare = await tokenizer.encode(text, { addSpecialTokens: false });
      expect(whole.truncated).toBe(false);
      expect((await tokenizer.encode(text, { maxLength: whole.ids.length })).truncated).toBe(false);
      const special = whole.ids.length - bare.ids.length;
      const start = whole.ids.slice(0, whole.ids.indexOf(bare.ids[0]));
      const end = whole.ids.slice(start.length + bare.ids.length);
      for (const maxLength of [special + 1, special + 3, whole.ids.length - 1]) {
        const kept = bare.ids.slice(0, maxLength - special);
        const expected = { ids: [...start, ...kept, ...end], truncated: true };
        expect(await tokenizer.encode(text, { maxLength })).toEqual(expected);
      }
    });

    it('refuses a maxLength without room for special tokens', async () => {
      await expect(tokenizer.encode(text, { maxLength: 0 })).rejects.toMatchObject({
        code: 'OPTION_INVALID',
      });
      await expect(tokenizer.encode('', { maxLength: Number.NaN })).rejects.toMatchObject({
        code: 'OPTION_INVALID',
      });
      await expect(tokenizer.encodeBatch([text], { maxLength: 2.5 })).rejects.toMatchObject({
        code: 'OPTION_INVALID',
      });
    });

    it('leaves special tokens out of decoded text unless asked', async () => {
      const token = tokenizer.specialTokens.pad!;
      const ids = [
        ...(await tokenizer.encode('the file', { addSpecialTokens: false })).ids,
        tokenizer.specialIds.pad!,
      ];
      expect(await tokenizer.decode(ids)).not.toContain(token);
      expect(await tokenizer.decode(ids, { skipSpecialTokens: false })).toContain(token);
    });

    it('removes spaces before punctuation where asked', async () => {
      const { ids } = await tokenizer.encode('the file .', { addSpecialTokens: false });
      const tidy = await tokenizer.decode(ids, { cleanUpTokenizationSpaces: true });
      expect(tidy).toMatch(/file\.$/);
    });

    if (pairs) {
      it('cuts the longer text of a pair first', async () => {
        const first = await tokenizer.encode('the file', { addSpecialTokens: false });
        const whole = await tokenizer.encode('the file', { pair: text });
        expect(whole.tokenTypeIds).toHaveLength(whole.ids.length);
        const cut = await tokenizer.encode('the file', { pair: text, maxLength: whole.ids.length - 2 });
        expect(cut.ids).toHaveLength(whole.ids.length - 2);
        expect(cut.truncated).toBe(true);
        const start = whole.ids.indexOf(first.ids[0]);
        expect(cut.ids.slice(start, start + first.ids.length)).toEqual(first.ids);
      });
    } else {
      it('refuses a pair', async () => {
        await expect(tokenizer.encode('a', { pair: 'b' })).rejects.toMatchObject({ code: 'INPUT_INVALID' });
      });
    }
  });
}
