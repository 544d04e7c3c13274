import {
  AlertOutlined,
  FileSearchOutlined,
  HistoryOutlined,
  MessageOutlined,
  RedoOutlined,
  PushpinOutlined,
  SafetyCertificateOutlined,
  SolutionOutlined,
  TeamOutlined,
} from '@ant-design/icons';

import { lazyPart } from '../design/Part';
import { useNotesBadge } from '../notes/badge';
import { usePriorsBadge } from '../priors/badge';
import { useConsultationBadge } from '../consultations/badge';
import { useCriticalBadge } from '../critical/badge';
import { useRetakeBadge } from '../retakes/badge';
import { useQualityBadge } from '../quality/badge';
import { useKeyImagesBadge } from './keyImages/badge';
import type { ReadingPanel } from './panel';

/** For a panel that has nothing to be noticed for. */
export const useNoBadge = (): null => null;

/**
 * The panels in the order of the rail: what is needed before reading, then what is said to others.
 *
 * The letters of a panel are its own. Taken by the page: V second window, W back to the list, N take the next,
 * J and K next and previous, Z fold the report, B request, P priors, M notes of the site, Q quality, T timeline,
 * C critical value, O consultation, R retake, I key images and measurements, S add the image shown, digits the fields of the report.
 * D, E, F belong to browsers.
 */
export const PANELS: readonly ReadingPanel[] = [
  {
    id: 'request',
    key: 'b',
    name: 'request.title',
    short: 'request.short',
    icon: SolutionOutlined,
    useBadge: useNoBadge,
    Content: lazyPart(async () => (await import('./RequestPanel')).RequestPanel),
  },
  {
    id: 'priors',
    key: 'p',
    name: 'priors.title',
    short: 'priors.short',
    icon: FileSearchOutlined,
    useBadge: usePriorsBadge,
    Content: lazyPart(async () => (await import('../priors/PriorsPanel')).PriorsPanel),
  },
  {
    id: 'notes',
    key: 'm',
    name: 'notes.title',
    short: 'notes.short',
    icon: MessageOutlined,
    useBadge: useNotesBadge,
    Content: lazyPart(async () => (await import('../notes/NotesPanel')).NotesPanel),
  },
  {
    id: 'images',
    key: 'i',
    name: 'keyImages.title',
    short: 'keyImages.short',
    icon: PushpinOutlined,
    useBadge: useKeyImagesBadge,
    applies: (item) => item.lane === 'imaging',
    Content: lazyPart(async () => (await import('./keyImages/KeyImagesPanel')).KeyImagesPanel),
  },
  {
    id: 'quality',
    key: 'q',
    name: 'panel.quality',
    short: 'panel.quality.short',
    icon: SafetyCertificateOutlined,
    useBadge: useQualityBadge,
    applies: (item) => item.lane === 'imaging',
    Content: lazyPart(async () => (await import('../quality/QualityPanel')).QualityPanel),
  },
  {
    id: 'timeline',
    key: 't',
    name: 'timeline.title',
    short: 'panel.timeline.short',
    icon: HistoryOutlined,
    useBadge: useNoBadge,
    Content: lazyPart(async () => (await import('./TimelinePanel')).TimelinePanel),
  },
  {
    id: 'critical',
    key: 'c',
    name: 'panel.critical',
    short: 'panel.critical.short',
    icon: AlertOutlined,
    useBadge: useCriticalBadge,
    Content: lazyPart(async () => (await import('../critical/CriticalPanel')).CriticalPanel),
  },
  {
    id: 'retake',
    key: 'r',
    name: 'panel.retake',
    short: 'panel.retake.short',
    icon: RedoOutlined,
    useBadge: useRetakeBadge,
    Content: lazyPart(async () => (await import('../retakes/RetakePanel')).RetakePanel),
  },
  {
    id: 'consultation',
    key: 'o',
    name: 'panel.consultation',
    short: 'panel.consultation.short',
    icon: TeamOutlined,
    useBadge: useConsultationBadge,
    Content: lazyPart(async () => (await import('../consultations/ConsultationPanel')).ConsultationPanel),
  },
];
