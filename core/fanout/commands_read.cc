// What Commands does of those that only read: list, get, and what a request of HTTP reads.
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/work.h"
#include "fanout/commands.h"
#include "fanout/offload.h"
#include "fanout/snapshot_page.h"
#include "fanout/topic_page.h"
#include "protocol/ack.h"

namespace tickwire {

void Commands::list(Session& session, const std::string& id, const ListCommand& command) {
  const Result<Pattern> pattern = Pattern::parse(command.pattern);
  if (!pattern) return refuse(session, id, pattern.error());
  const auto page =
      std::make_shared<TopicPage>(parts_.hub, parts_.access, *pattern, command.after, command.limit);
  const SessionGrants::Held& held = admission_.grant_of(session);
  if (!held.expired(parts_.clock.steady_us())) page->show_also(held.grant);
  queue_.work(session, [this, id, page](Session& asker, const Budget& budget) {
    if (!page->run(budget)) return false;
    if (page->cut_short()) parts_.counters.count(Limit::kListTopics);
    std::vector<std::string_view> names;
    names.reserve(page->topics().size());
    for (const UpdatePtr& update : page->topics()) names.push_back(update->topic().name);
    asker.send_payload(encode_list(asker.framing.format, id, names, page->next()));
    return true;
  });
}

void Commands::get(Session& session, const std::string& id, GetCommand& command, std::size_t bytes) {
  const std::size_t topics = command.topics.size();
  Result<SnapshotPage::Place> place = SnapshotPage::parse_place(command.after, topics);
  if (!place) return refuse(session, id, place.error());
  const SnapshotPage::Extent extent{std::move(*place), command.limit, parts_.config.session.patterns_max};
  AdmissionRequest request{.action = Action::kSubscribe, .topics = std::move(command.topics)};
  request.once = true;
  request.bytes = waiting_bytes(bytes, topics, 0);
  const auto newcomer = Admission::newcomer(
      std::move(request), [this, id, extent](Session& asker, Admission::Outcome& outcome) {
        const std::size_t names = outcome.topics.size();
        SnapshotPage page(parts_.hub, std::move(outcome.topics), std::move(outcome.decisions), extent);
        finish_get(asker, id, shared_names(parts_.config.offload, names, std::move(page)));
      });
  queue_.work(session, [this, id, newcomer](Session& asker, const Budget& budget) {
    return entered(asker, id, admission_.enter(asker, newcomer, budget));
  });
}

void Commands::finish_get(Session& session, const std::string& id,
                          const std::shared_ptr<SnapshotPage>& page) {
  struct Writing {
    std::optional<SnapshotsWriter> writer;
    std::string payload;  // where a worker wrote it
  };
  const auto writing = std::make_shared<Writing>();
  const auto begin = [id, page, writing, epoch = parts_.epoch](Format format) {
    writing->writer.emplace(format, id, epoch, page->count(), page->next());
  };
  queue_.work(session, [this, page, writing, begin](Session& asker, const Budget& budget) {
    if (!writing->writer) {
      if (!page->run(budget)) return false;
      page->each_error([this](const Error& error) { parts_.counters.count(error); });
      if (const auto limit = page->cut_short()) parts_.counters.count(*limit);
      const Format format = asker.framing.format;
      begin(format);
      // An image is copied into JSON; it has to be read for another format, which cannot be cut into pieces.
      if (format != Format::kJson && is_large(page->bytes())) {
        queue_.elsewhere(
            asker,
            [page, writing] {
              page->write(*writing->writer, Budget::unlimited());
              writing->payload = writing->writer->finish();
            },
            [writing](Session& waiting) { waiting.send_payload(writing->payload); });
        return true;
      }
    }
    if (!page->write(*writing->writer, budget)) return false;
    asker.send_payload(writing->writer->finish());
    return true;
  });
}

void Commands::read(Session& session, bool lists, std::vector<std::string> topics, Admission::Then then) {
  const std::int64_t now_us = parts_.clock.steady_us();
  std::optional<Error> over = rates_.take(session, Rated::kCommand, now_us);
  if (!over && lists) over = rates_.take(session, Rated::kList, now_us);
  if (!over) over = over_topics(topics.size());
  if (over) return refuse(session, "", *over);
  AdmissionRequest request{.action = Action::kSubscribe, .topics = std::move(topics)};
  request.once = true;
  const auto newcomer = Admission::newcomer(std::move(request), std::move(then));
  queue_.work(session, [this, newcomer](Session& asker, const Budget& budget) {
    return entered(asker, "", admission_.enter(asker, newcomer, budget));
  });
}

}  // namespace tickwire
