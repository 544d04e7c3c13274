import {
  ArrowLeftOutlined,
  DesktopOutlined,
  LeftOutlined,
  QuestionCircleOutlined,
  RightOutlined,
  StepForwardOutlined,
} from '@ant-design/icons';
import { Button, Tooltip } from 'antd';

import type { WorkitemDetail } from '../api/types';
import { ModalityMark, PriorityMark, StateChip } from '../design/Chip';
import { useMinute, useSecond } from '../design/clock';
import { Due } from '../design/Due';
import { PatientName, SexAge } from '../design/PatientName';
import { formatDuration, formatStudyTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { siteName } from '../i18n/siteName';
import { DoubtButton } from './DoubtButton';
import { KeyImageButton } from './keyImages/KeyImageButton';
import type { Lease } from './lease';
import type { Neighbours } from './neighbours';

interface ReadingHeaderProps {
  item: WorkitemDetail;
  lease: Lease;
  neighbours: Neighbours;
  next: { take: () => void; isPending: boolean };
  onBack: () => void;
  onHelp: () => void;
  onSecondWindow: () => void;
}

/** So little of a lease is left only when nobody has touched the page for long. */
const SHOWN_BELOW = 5 * 60_000;

/** Who and what is read, always in sight. */
export function ReadingHeader(props: ReadingHeaderProps) {
  const { item, lease, neighbours, next, onBack, onHelp, onSecondWindow } = props;
  const { t, language } = useLanguage();
  const now = useMinute();
  const { patient, study } = item;
  return (
    <div className="reading-head">
      <Tooltip title={t('keys.back')}>
        <Button type="text" icon={<ArrowLeftOutlined />} aria-label={t('keys.back')} onClick={onBack} />
      </Tooltip>
      <NeighbourKeys neighbours={neighbours} />
      <h1 className="reading-patient">
        <PatientName patient={patient} />
      </h1>
      <span className="reading-sex-age">
        <SexAge patient={patient} />
      </span>
      <div className="reading-what">
        <dl className="reading-facts">
          <Fact name={t('patient.id')} value={patient.local_id} />
          <Fact name={t('patient.birthDate')} value={patient.birth_date} />
          <Fact name={t('reading.accession')} value={study.accession_number} />
          <Fact name={t('reading.examined')} value={formatStudyTime(study.study_date, study.study_time, now)} />
          <Fact name={t('worklist.column.site')} value={siteName(language, item.site)} />
        </dl>
        <span className="reading-study">
          <ModalityMark lane={item.lane} modalities={study.modalities} />
          <span className="reading-description" title={study.description ?? undefined}>
            {study.description ?? t('worklist.noDescription')}
          </span>
        </span>
      </div>
      <span className="reading-status">
        <PriorityMark priority={item.priority} />
        {item.versions.length === 0 && <Due item={item} />}
        <StateChip state={item.state} />
        {lease.until !== null && <LeaseLeft until={lease.until} onKeep={lease.keep} />}
        <span className="reading-acts">
          <Tooltip title={`${t('next.take')}  Alt+N`}>
            <Button
              type={lease.until === null ? 'primary' : 'default'}
              ghost={lease.until === null}
              icon={<StepForwardOutlined />}
              loading={next.isPending}
              aria-label={t('next.take')}
              aria-keyshortcuts="Alt+N"
              onClick={next.take}
            />
          </Tooltip>
          <KeyImageButton item={item} />
          <Tooltip title={`${t('keys.viewer')}  Alt+V`}>
            <Button icon={<DesktopOutlined />} aria-label={t('keys.viewer')} onClick={onSecondWindow} />
          </Tooltip>
          <DoubtButton item={item} />
          <Tooltip title={t('keys.title')}>
            <Button icon={<QuestionCircleOutlined />} aria-label={t('keys.title')} onClick={onHelp} />
          </Tooltip>
        </span>
      </span>
    </div>
  );
}

function Fact({ name, value }: { name: string; value: string | null }) {
  if (value === null || value === '') return null;
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function NeighbourKeys({ neighbours }: { neighbours: Neighbours }) {
  const { t } = useLanguage();
  const { previous, next, place } = neighbours;
  if (place === null) return null;
  return (
    <span className="reading-neighbours">
      <Tooltip title={`${t('next.previousInList')}  Alt+K`}>
        <Button
          type="text"
          size="small"
          icon={<LeftOutlined />}
          aria-label={t('next.previousInList')}
          disabled={previous === null}
          onClick={() => previous?.()}
        />
      </Tooltip>
      <span className="quiet small">{t('next.place', place)}</span>
      <Tooltip title={`${t('next.nextInList')}  Alt+J`}>
        <Button
          type="text"
          size="small"
          icon={<RightOutlined />}
          aria-label={t('next.nextInList')}
          disabled={next === null}
          onClick={() => next?.()}
        />
      </Tooltip>
    </span>
  );
}

/** Shown only when the exam is about to go back to the list. */
function LeaseLeft({ until, onKeep }: { until: string; onKeep: () => void }) {
  const { t, language } = useLanguage();
  const left = Date.parse(until) - useSecond();
  if (left > SHOWN_BELOW) return null;
  return (
    <span className="reading-lease" role="status">
      {t('lease.left', { time: formatDuration(language, Math.max(left, 0)) })}{' '}
      <Button size="small" onClick={onKeep}>
        {t('lease.keep')}
      </Button>
    </span>
  );
}
