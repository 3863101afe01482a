import { hashString, threefry } from '../training/random.js';

/** The parts of fasttext.wasm.js that polybeam uses; its own declarations lack the file system's devices. */
export interface FastTextModule {
  FastText: new () => FastText;
  Args: new () => Record<string, unknown>;
  ModelName: { skipgram: unknown };
  LossName: { ns: unknown };
  HEAPU8: Uint8Array;
  _malloc(bytes: number): number;
  FS: {
    writeFile(path: string, bytes: Uint8Array): void;
    readFile(path: string): Uint8Array;
    makedev(major: number, minor: number): number;
    registerDevice(device: number, operations: DeviceOperations): void;
    mkdev(path: string, mode: number, device: number): void;
  };
}

/** A file whose bytes are made when they are read. */
export interface DeviceOperations {
  /** Writes bytes into `buffer` from `start` on; returns how many, 0 at the end of the file. */
  read(stream: object, buffer: Int8Array, start: number, length: number, position: number): number;
  write(): number;
}

/** A model in WebAssembly. */
export interface FastText {
  /** Trains; `onProgress` gets the part done, the loss, units per second, the learning rate and the seconds left. */
  train(args: Record<string, unknown>, onProgress: (done: number, loss: number, speed: number) => void): void;
  getWordId(word: string): number;
  /** Writes the vector of a word to the heap. */
  getWordVector(place: { ptr: number; size: number }, word: string): void;
  /** The vectors of words, then those of character n-grams: an object whose numbers lie in the heap. */
  getInputMatrix(): DenseMatrix;
  loadModel(path: string): void;
  saveModel(path: string): void;
}

interface DenseMatrix {
  rows(): number;
  cols(): number;
  at(row: number, column: number): number;
  $$: { ptr: number };
}

/** Starts an instance of the WebAssembly program, which prints nothing. */
export async function startFastText(): Promise<FastTextModule> {
  const { getFastTextModule } = await import('fasttext.wasm.js');
  const silent = { print() {}, printErr() {} };
  return (await getFastTextModule(
    silent as Parameters<typeof getFastTextModule>[0],
  )) as unknown as FastTextModule;
}

/** Vectors of words, one after the other in `values`; words that the model lacks get what their character n-grams say. */
export function readWordVectors(
  module: FastTextModule,
  model: FastText,
  words: readonly string[],
  size: number,
): Float32Array<ArrayBuffer> {
  const values = new Float32Array(words.length * size);
  const place = { ptr: module._malloc(size * 4), size };
  for (const [row, word] of words.entries()) {
    model.getWordVector(place, word);
    // The heap is another array after it has grown.
    values.set(new Float32Array(module.HEAPU8.buffer, place.ptr, size), row * size);
  }
  return values;
}

/**
 * Sets the vectors that training begins with, uniform between -1 / size and 1 / size as fastText does. This build sets only the first
 * tenth (in one thread, `DenseMatrix::uniform` does the first of ten blocks) and leaves the rest as the memory was. To be called while
 * training tells of its progress for the first time.
 * @throws Error where the matrix is not where this build has it
 */
export function initializeVectors(module: FastTextModule, model: FastText, seed: number): void {
  const matrix = model.getInputMatrix();
  const size = matrix.cols();
  const values = heapValues(module, matrix);
  const words = new Uint32Array(2);
  const key = hashString('vectors');
  for (let at = 0; at < values.length; at += 2) {
    threefry(seed, key, at, Math.floor(at / 4294967296), words);
    values[at] = (words[0] / 2147483648 - 1) / size;
    if (at + 1 < values.length) values[at + 1] = (words[1] / 2147483648 - 1) / size;
  }
}

/** The numbers of a matrix, where they lie. */
function heapValues({ HEAPU8 }: FastTextModule, matrix: DenseMatrix): Float32Array {
  const rows = matrix.rows();
  const columns = matrix.cols();
  // A table of functions, 4 bytes of padding, two 64-bit sizes, the address of the numbers.
  const [m, , n, , address] = new Uint32Array(HEAPU8.buffer, matrix.$$.ptr + 8, 5);
  const fits =
    m === rows && n === columns && address % 4 === 0 && address + rows * columns * 4 <= HEAPU8.length;
  if (fits) {
    const values = new Float32Array(HEAPU8.buffer, address, rows * columns);
    const places = [0, Math.floor(rows / 2) * columns + columns - 1, rows * columns - 1];
    const same = (at: number) => Object.is(values[at], matrix.at(Math.floor(at / columns), at % columns));
    if (places.every(same)) return values;
  }
  throw new Error('this build of fastText keeps its vectors elsewhere than fasttext.wasm.js 1.0.0');
}

/** What an exception of the program says: a number is the address of a C++ exception. */
export function exceptionText({ HEAPU8 }: FastTextModule, exception: unknown): string {
  if (typeof exception !== 'number')
    return exception instanceof Error ? exception.message : String(exception);
  const [text] = new Uint32Array(HEAPU8.buffer, (exception & ~3) + 4, 1);
  const bytes = HEAPU8.subarray(text, text + 200);
  const message = new TextDecoder().decode(bytes.subarray(0, Math.max(0, bytes.indexOf(0))));
  return /^[ -~]+$/.test(message) ? message : `C++ exception ${exception}`;
}
