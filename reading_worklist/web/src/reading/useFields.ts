import { type RefCallback, useRef } from 'react';

import type { ReportText } from '../api/types';
import { nextPlace } from './places';
import type { Area } from './reportFields';

/** The three text areas of the editor, and the ways to a place in them. */
export interface Fields {
  ref: (field: Area) => RefCallback<HTMLTextAreaElement>;
  focus: (field: Area) => void;
  /** Selects words, so that typing replaces them. */
  select: (place: { field: Area; start: number; end: number }) => void;
  /** Selects the next open place; false when there is none. */
  toNextPlace: (text: ReportText) => boolean;
  /** Puts the caret once the area shows the text it belongs to. */
  caretSoon: (field: Area, at: number) => void;
}

export function useFields(): Fields {
  const areas = useRef(new Map<Area, HTMLTextAreaElement>());
  const last = useRef<Area | null>(null);

  const select = ({ field, start, end }: { field: Area; start: number; end: number }): void => {
    const area = areas.current.get(field);
    if (area === undefined) return;
    // Chromium scrolls to a selection only when the focus comes.
    area.blur();
    area.setSelectionRange(start, end);
    area.focus();
  };
  return {
    ref: (field) => (element) => {
      if (element === null) return;
      areas.current.set(field, element);
      const onFocus = (): void => {
        last.current = field;
      };
      element.addEventListener('focus', onFocus);
      return () => {
        element.removeEventListener('focus', onFocus);
        areas.current.delete(field);
      };
    },
    focus: (field) => areas.current.get(field)?.focus(),
    select,
    toNextPlace: (text) => {
      const field = last.current;
      const area = field === null ? undefined : areas.current.get(field);
      const caret =
        field === null || field === 'addendum' || field === 'comparison' || area === undefined
          ? null
          : { field, at: area.selectionEnd };
      const place = nextPlace(text, caret);
      if (place !== null) select(place);
      return place !== null;
    },
    caretSoon: (field, at) => {
      requestAnimationFrame(() => areas.current.get(field)?.setSelectionRange(at, at));
    },
  };
}
