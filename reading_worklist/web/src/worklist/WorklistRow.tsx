import { Button } from 'antd';
import { memo, useState } from 'react';
import { Link, useLocation } from 'react-router';

import type { Workitem } from '../api/types';
import { ModalityMark, PriorityMark, StateChip } from '../design/Chip';
import { useMinute } from '../design/clock';
import { Due } from '../design/Due';
import { LatinName, PatientName, SexAge } from '../design/PatientName';
import { formatDateTime, formatShortTime, formatStudyTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { siteName } from '../i18n/siteName';
import { useSession } from '../session/session';
import { takingAction } from './claim';

interface WorklistRowProps {
  item: Workitem;
  selected: boolean;
  claiming: boolean;
  onSelect: (item: Workitem) => void;
  onOpen: (item: Workitem) => void;
  onClaim: (item: Workitem) => void;
}

export const WorklistRow = memo(function WorklistRow({
  item,
  selected,
  claiming,
  onSelect,
  onOpen,
  onClaim,
}: WorklistRowProps) {
  const { t, language } = useLanguage();
  const now = useMinute();
  const location = useLocation();
  const { study, patient } = item;
  const site = siteName(language, item.site);
  const description = study.description ?? '';

  // A change that came by itself lights up once, so that the eye finds what moved.
  const [seenRevision, setSeenRevision] = useState(item.revision);
  const changed = item.revision !== seenRevision;

  return (
    <tr
      aria-selected={selected}
      className={changed ? 'row-changed' : undefined}
      onAnimationEnd={() => setSeenRevision(item.revision)}
      onClick={() => onSelect(item)}
      onDoubleClick={() => onOpen(item)}
    >
      <td className="col-priority">
        <PriorityMark priority={item.priority} />
      </td>
      <td className="col-due">
        <Due item={item} />
      </td>
      <th
        scope="row"
        className="col-patient"
        title={[patient.name, patient.latin_name].filter((part) => part !== '').join(' ')}
      >
        <span className="row-patient">
          <Link to={`/exams/${item.id}`} state={{ from: location.pathname + location.search }}>
            <PatientName patient={patient} latin={false} />
          </Link>
          <span className="quiet">
            <SexAge patient={patient} />
          </span>
          <LatinName latin={patient.latin_name} />
        </span>
      </th>
      <td className="col-id">{patient.local_id ?? t('app.none')}</td>
      <td className="col-site" title={site}>
        {site}
      </td>
      <td className="col-modality">
        <ModalityMark lane={item.lane} modalities={study.modalities} />
      </td>
      <td className="col-study" title={description}>
        {item.late_instances && (
          <span className="row-late" title={t('worklist.late')}>
            +
          </span>
        )}
        {item.quality_warnings > 0 && (
          <span className="row-late" title={t('worklist.qualityWarnings', { n: item.quality_warnings })}>
            !
          </span>
        )}
        {description === '' ? <span className="quiet">{t('worklist.noDescription')}</span> : description}
      </td>
      <td
        className="col-images"
        title={t('worklist.images', { series: study.series_count, instances: study.instance_count })}
      >
        {study.series_count}/{study.instance_count}
      </td>
      <td className="col-examined" title={[study.study_date, study.study_time?.slice(0, 5)].join(' ')}>
        {formatStudyTime(study.study_date, study.study_time, now) ?? t('app.none')}
      </td>
      <td className="col-queued" title={formatDateTime(item.queued_at)}>
        {formatShortTime(item.queued_at, now)}
      </td>
      <td className="col-state">
        <StateChip state={item.state} />
      </td>
      <td className="col-doctor">
        <Doctor item={item} />
      </td>
      <td className="col-action">
        <RowAction item={item} claiming={claiming} onOpen={onOpen} onClaim={onClaim} />
      </td>
    </tr>
  );
});

function Doctor({ item }: { item: Workitem }) {
  const { t } = useLanguage();
  const { data: session } = useSession();
  if (item.claimed_by !== null) {
    const mine = item.claimed_by.id === session?.person.id;
    return mine ? <strong className="row-mine">{t('worklist.claimedByMe')}</strong> : item.claimed_by.display_name;
  }
  if (item.written_by === null) return <span className="quiet">{t('app.none')}</span>;
  return (
    <span className="quiet" title={t('worklist.writtenBy', { name: item.written_by.display_name })}>
      {item.written_by.display_name}
    </span>
  );
}

function RowAction({
  item,
  claiming,
  onOpen,
  onClaim,
}: Pick<WorklistRowProps, 'item' | 'claiming' | 'onOpen' | 'onClaim'>) {
  const { t } = useLanguage();
  const action = takingAction(item);
  // The row's own double click must not fire on a button that was pressed twice.
  const alone = (work: () => void) => (event: { stopPropagation: () => void }) => {
    event.stopPropagation();
    work();
  };
  const common = { size: 'small' as const, onDoubleClick: alone(() => undefined) };
  if (action === null) {
    return (
      <Button {...common} type="text" onClick={alone(() => onOpen(item))}>
        {t('worklist.open')}
      </Button>
    );
  }
  return (
    <Button {...common} loading={claiming} className="row-take" onClick={alone(() => onClaim(item))}>
      {t(`worklist.${action}`)}
    </Button>
  );
}
