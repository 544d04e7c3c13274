import { Skeleton } from 'antd';
import { type ReactNode, useEffect, useMemo } from 'react';

import { ProblemNotice } from '../design/Notice';
import { useLanguage } from '../i18n/language';
import { EcgTrace } from './EcgTrace';
import { useEcgPage } from './queries';
import { parseTrace, type Trace } from './trace';
import type { PageKind, Tools, Zoom } from './view';

interface EcgSheetProps {
  id: string;
  page: PageKind;
  /** Names the page at the server. */
  address: string;
  /** Whose ECG this is, and of when, for who cannot see where it stands. */
  label: string;
  heading?: string;
  zoom: Zoom;
  pixelsPerMm: number;
  tools: Tools;
  onTools: (part: Partial<Tools>) => void;
  highlighted: ReadonlySet<string>;
  onFactor?: (factor: number) => void;
  onTrace?: (trace: Trace | null) => void;
  overlay?: (trace: Trace, pixels: number) => ReactNode;
  children?: ReactNode;
}

/** One page of an ECG as the server draws it: awaited, refused, or shown. */
export function EcgSheet({ id, page: kind, address, heading, onTrace, overlay, ...shown }: EcgSheetProps) {
  const { t } = useLanguage();
  const page = useEcgPage(id, kind, address);
  const trace = useMemo(() => (page.data === undefined ? null : parseTrace(page.data)), [page.data]);
  useEffect(() => onTrace?.(trace), [trace, onTrace]);
  return (
    <div className="ecg-one">
      {heading !== undefined && <h2 className="ecg-heading">{heading}</h2>}
      {page.isError && (
        <div className="ecg-problem">
          <ProblemNotice heading={t('ecg.failed')} error={page.error} onRetry={() => void page.refetch()} />
        </div>
      )}
      {trace === null && !page.isError && (
        <div className="ecg-loading" aria-busy="true">
          <Skeleton active paragraph={{ rows: 10 }} />
        </div>
      )}
      {trace !== null && !page.isError && (
        <EcgTrace
          {...shown}
          trace={trace}
          old={page.isPlaceholderData}
          {...(overlay === undefined ? {} : { overlay: (pixels) => overlay(trace, pixels) })}
        />
      )}
    </div>
  );
}
