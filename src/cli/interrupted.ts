/** A command that was stopped by Ctrl-C after it had put its work in order. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}
