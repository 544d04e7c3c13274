import { Skeleton } from 'antd';
import { useMemo, useState } from 'react';

import { ProblemNotice } from '../design/Notice';
import { useLanguage } from '../i18n/language';
import { useCalibration } from './calibration';
import { CalibrationDialog } from './CalibrationDialog';
import { EcgFacts } from './EcgFacts';
import { EcgToolbar } from './EcgToolbar';
import { EcgTrace } from './EcgTrace';
import { useEcgRecord, useEcgTrace } from './queries';
import { ScaleNote } from './ScaleNote';
import { parseTrace } from './trace';
import { STANDARD_VIEW, type View, type Zoom } from './view';
import './ecg.css';

/** The ECG of a workitem: the trace in true millimetres, calipers, and what the device measured. */
export function EcgPane({ id }: { id: string }) {
  const { t, language } = useLanguage();
  const [view, setView] = useState<View>(STANDARD_VIEW);
  const [calibrating, setCalibrating] = useState(false);
  const calibration = useCalibration();
  // On a calibrated screen the doctor expects paper; otherwise millimetres mean little and the whole width more.
  const [zoom, setZoom] = useState<Zoom>(calibration.calibrated ? 1 : 'fit');
  const [shownFactor, setShownFactor] = useState(1);
  const record = useEcgRecord(id, view.instance);
  const page = useEcgTrace(id, view, language);
  const trace = useMemo(() => (page.data === undefined ? null : parseTrace(page.data)), [page.data]);

  const change = (part: Partial<View>): void => setView((old) => ({ ...old, ...part }));
  return (
    <div className="ecg">
      <EcgToolbar
        view={view}
        record={record.data}
        trace={trace}
        zoom={zoom}
        factor={shownFactor}
        onChange={change}
        onZoom={setZoom}
      />
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
          trace={trace}
          zoom={zoom}
          pixelsPerMm={calibration.pixelsPerMm}
          old={page.isPlaceholderData}
          onFactor={setShownFactor}
        >
          <ScaleNote factor={shownFactor} calibration={calibration} onCalibrate={() => setCalibrating(true)} />
        </EcgTrace>
      )}
      <EcgFacts record={record} onInstance={(instance) => change({ instance, start: 0 })} />
      {calibrating && <CalibrationDialog present={calibration} onClose={() => setCalibrating(false)} />}
    </div>
  );
}
