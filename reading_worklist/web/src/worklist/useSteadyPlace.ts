import { type PointerEvent, type RefObject, useCallback, useLayoutEffect, useRef, useState } from 'react';

import type { Rows } from './queries';
import { HEAD_HEIGHT, ROW_HEIGHT, rowAtDistance } from './scrolling';

/** So long after its last move a pointer counts as being about to press. */
const POINTER_REST = 3_000;
/** So long after rows have moved a press may have been meant for the one before. */
const REACTION = 400;

interface Anchor {
  listKey: string;
  id: string;
  index: number;
}

export interface SteadyPlace {
  /** Of the element that scrolls. */
  scroller: RefObject<HTMLDivElement | null>;
  /** How many rows have come above what is seen. */
  above: number;
  scrolled: () => void;
  pointed: (event: PointerEvent<HTMLElement>) => void;
  left: () => void;
  /** Whether the row under the pointer has changed a moment ago. */
  justMoved: () => boolean;
}

/**
 * Keeps what one looks at in its place while rows come and go above it: the row under a pointer that
 * is in use, else the first that is seen. At the top, where nobody points, new rows push the others down.
 */
export function useSteadyPlace(rows: Rows, listKey: string, old: boolean): SteadyPlace {
  const scroller = useRef<HTMLDivElement>(null);
  const [above, setAbove] = useState({ listKey, rows: 0 });
  const anchor = useRef<Anchor | null>(null);
  const pointer = useRef<{ y: number; at: number } | null>(null);
  const movedAt = useRef(-Infinity);

  useLayoutEffect(() => {
    const element = scroller.current;
    if (element === null) return;
    const known = anchor.current;
    if (old) {
      // The rows of another list: where they stand says nothing.
      element.scrollTop = 0;
      anchor.current = null;
      return;
    }
    if (known !== null && known.listKey !== listKey) {
      element.scrollTop = 0;
    } else if (known !== null) {
      const index = rows.indexOf(known.id);
      const moved = index === undefined ? 0 : index - known.index;
      if (moved !== 0) {
        const steady = element.scrollTop > 0 || pointing(pointer.current);
        const before = element.scrollTop;
        if (steady) element.scrollTop = before + moved * ROW_HEIGHT;
        if (element.scrollTop - before !== moved * ROW_HEIGHT) movedAt.current = performance.now();
        if (steady && moved > 0) {
          setAbove((old) => ({ listKey, rows: (old.listKey === listKey ? old.rows : 0) + moved }));
        }
      } else if (index === undefined) {
        movedAt.current = performance.now();
      }
    }
    anchor.current = anchorOf(element, rows, listKey, pointer.current);
  }, [rows, listKey, old]);

  const scrolled = useCallback(() => {
    const element = scroller.current;
    if (element === null) return;
    anchor.current = anchorOf(element, rows, listKey, pointer.current);
    if (element.scrollTop === 0) setAbove((old) => (old.rows === 0 ? old : { listKey, rows: 0 }));
  }, [rows, listKey]);

  const pointed = useCallback(
    (event: PointerEvent<HTMLElement>) => {
      const box = event.currentTarget.getBoundingClientRect();
      pointer.current = { y: event.clientY - box.top - HEAD_HEIGHT, at: performance.now() };
      anchor.current = anchorOf(event.currentTarget, rows, listKey, pointer.current);
    },
    [rows, listKey],
  );
  const left = useCallback(() => {
    pointer.current = null;
  }, []);
  const justMoved = useCallback(() => performance.now() - movedAt.current < REACTION, []);
  return { scroller, above: above.listKey === listKey ? above.rows : 0, scrolled, pointed, left, justMoved };
}

function pointing(pointer: { at: number } | null): boolean {
  return pointer !== null && performance.now() - pointer.at < POINTER_REST;
}

function anchorOf(
  element: HTMLElement,
  rows: Rows,
  listKey: string,
  pointer: { y: number; at: number } | null,
): Anchor | null {
  const below = pointer !== null && pointing(pointer) ? pointer.y : ROW_HEIGHT - 1;
  const index = rowAtDistance(element.scrollTop, below);
  const id = rows.at(index)?.id;
  return id === undefined ? null : { listKey, id, index };
}
