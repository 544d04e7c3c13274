import { describe, expect, it } from 'vitest';

import { divide, type Shown, VIEWER_LEAST } from './columns';

const WANTED = { panel: 340, report: 480 };
const ALONE: Shown = { viewerElsewhere: false, panelOpen: false, reportFolded: false };
const OPEN: Shown = { ...ALONE, panelOpen: true };

describe('the columns of the reading page', () => {
  it('give each what was chosen where there is room', () => {
    expect(divide(1384, WANTED, ALONE)).toEqual({ viewer: 904, panel: 0, report: 480 });
    expect(divide(1864, WANTED, OPEN)).toEqual({ viewer: 1044, panel: 340, report: 480 });
  });

  it('leave the viewer what its tools need', () => {
    expect(divide(968, WANTED, ALONE)).toEqual({ viewer: VIEWER_LEAST, panel: 0, report: 328 });
    expect(divide(1384, WANTED, OPEN)).toEqual({ viewer: VIEWER_LEAST, panel: 340, report: 404 });
    expect(divide(1384, { panel: 900, report: 900 }, OPEN)).toEqual({ viewer: VIEWER_LEAST, panel: 424, report: 320 });
  });

  it('let the images become smaller where a panel is read while the report is written', () => {
    expect(divide(966, WANTED, OPEN)).toEqual({ viewer: 346, panel: 300, report: 320 });
    expect(divide(966, { panel: 900, report: 900 }, OPEN)).toEqual({ viewer: 346, panel: 300, report: 320 });
  });

  it('give their place to the panel where nothing would be seen on them', () => {
    expect(divide(800, WANTED, OPEN)).toEqual({ viewer: 0, panel: 480, report: 320 });
  });

  it('keep the report at its least width in a window that is too small for anything', () => {
    expect(divide(600, WANTED, ALONE)).toEqual({ viewer: 280, panel: 0, report: 320 });
  });

  it('give the viewer the place of a folded report', () => {
    expect(divide(968, WANTED, { ...ALONE, reportFolded: true })).toEqual({ viewer: 968, panel: 0, report: 0 });
    expect(divide(968, WANTED, { ...OPEN, reportFolded: true })).toEqual({ viewer: 640, panel: 328, report: 0 });
  });

  it('give the report all that the viewer leaves when it has a window of its own', () => {
    const elsewhere = { ...ALONE, viewerElsewhere: true };
    expect(divide(968, WANTED, elsewhere)).toEqual({ viewer: 0, panel: 0, report: 968 });
    expect(divide(968, WANTED, { ...elsewhere, panelOpen: true })).toEqual({ viewer: 0, panel: 340, report: 628 });
  });

  it('add up to the room whatever was chosen', () => {
    for (const room of [700, 968, 1208, 1384, 2504]) {
      for (const width of [0, 200, 420, 4000]) {
        for (const shown of [ALONE, OPEN, { ...OPEN, reportFolded: true }]) {
          const { viewer, panel, report } = divide(room, { panel: width, report: width }, shown);
          expect(viewer + panel + report).toBe(room);
        }
      }
    }
  });
});
