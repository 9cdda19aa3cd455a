/** Holds work back, in order, while too much is waiting to be sent. */

export class Gate {
  readonly #isOpen: () => boolean;
  readonly #waiting: (() => void)[] = [];

  constructor(isOpen: () => boolean) {
    this.#isOpen = isOpen;
  }

  /** Run something at once, or when there is room and those that came before have run. */
  run<T>(work: () => T | Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const step = (): void => {
        try {
          resolve(work());
        } catch (error) {
          reject(error);
        }
      };
      if (this.#waiting.length === 0 && this.#isOpen()) step();
      else this.#waiting.push(step);
    });
  }

  /** Look again whether there is room. */
  update(): void {
    while (this.#waiting.length > 0 && this.#isOpen()) this.#waiting.shift()?.();
  }
}
