import { type ErrorCode, PolybeamError } from '../../../src/errors.js';

/** The error that a call is refused with. @throws where it is not refused, or not by a PolybeamError */
export function refusal(run: () => unknown): { code: ErrorCode; message: string } {
  try {
    run();
  } catch (error) {
    if (error instanceof PolybeamError) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error('nothing was refused');
}
