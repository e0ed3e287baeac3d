internal import Bytes
internal import Foundation

extension TLSConnection {
  /// A record that was opened, and the key and number that did it.
  struct Opened {
    var plaintext: Data
    var protection: RecordProtection
    /// The place in the chain; `nil` for the key behind a change_cipher_spec that was lost.
    var stage: Int?
    var sequence: UInt64
    /// Whether a KeyUpdate was lost before it.
    var isUpdated = false
    var recordLength: Int
  }

  func open(_ side: Int, _ record: ByteView, _ mark: Mark) {
    let stage = directions[side].stage
    let sequence = directions[side].chain[stage].sequence
    let plaintext = directions[side].chain[stage].open(record, sequence: sequence)
    guard let plaintext else {
      directions[side].wastedBytes &+= record.count
      recover(side, record, mark)
      return
    }
    if directions[side].hasGap {
      let damaged = directions[side].failures
      reportGap(
        side, lostRecords: damaged > 0 ? UInt64(damaged) : nil,
        isOfHandshake: isBeforeData(side, stage, sequence), mark)
      guard !isStopped else { return }
    }
    directions[side].chain[stage].sequence = sequence &+ 1
    directions[side].chain[stage].hasOpened = true
    directions[side].hasOpened = true
    directions[side].failures = 0
    read(side, plaintext, type: record[0], mark)
  }

  /// Goes on with the key and number that opened a record out of turn.
  func accept(_ side: Int, _ found: Opened, _ type: UInt8, _ mark: Mark) {
    var protection = found.protection
    let expected = protection.sequence
    protection.sequence = found.sequence &+ 1
    protection.hasOpened = true
    let isSameStage = found.stage == directions[side].stage && found.stage != nil
    let skipped = isSameStage ? found.sequence &- expected : found.sequence
    counts.lostRecords &+= skipped
    if directions[side].hasGap {
      let isCounted = isSameStage && !found.isUpdated && skipped > 0
      let isOfHandshake =
        !found.isUpdated && isBeforeData(side, found.stage ?? 0, found.sequence)
      reportGap(
        side, lostRecords: isCounted ? skipped : nil, isOfHandshake: isOfHandshake, mark)
    }
    if let stage = found.stage {
      directions[side].chain[stage] = protection
      if !isSameStage { directions[side].enter(stage) }
    } else {
      directions[side].chain = [protection]
      directions[side].next = nil
      directions[side].enter(0)
    }
    directions[side].failures = 0
    directions[side].hasOpened = true
    guard !isStopped else { return }
    read(side, found.plaintext, type: type, mark)
  }

  /// Passes on what is missing between the last record and the one that was opened now.
  ///
  /// - Parameters:
  ///   - lostRecords: how many records that were, where it is known.
  ///   - isOfHandshake: whether none of them can have held application data.
  func reportGap(
    _ side: Int, lostRecords: UInt64?, isOfHandshake: Bool = false, _ mark: Mark
  ) {
    let lost = directions[side].lostBytes
    guard lost > 0 else {
      directions[side].hasGap = false
      return
    }
    var count = UInt64.max
    if let lostRecords, directions[side].isAtLastStage {
      // Without padding, which hardly anyone uses, that is exact.
      let overhead = UInt64(directions[side].chain[directions[side].stage].overhead)
      let (all, overflow) = lostRecords.multipliedReportingOverflow(by: overhead)
      if !overflow, all <= lost { count = lost - all }
    }
    directions[side].hasGap = false
    directions[side].lostBytes = 0
    let gapEnd = directions[side].gapEnd
    directions[side].gapEnd = nil
    if !isOfHandshake { miss(side, count, gapEnd, mark) }
  }

  /// Whether all that came before a record was the handshake.
  private func isBeforeData(_ side: Int, _ stage: Int, _ sequence: UInt64) -> Bool {
    if side == clientSide, offersEarlyData { return false }
    let direction = directions[side]
    // In TLS 1.2 the first record of a key is Finished, unless an older key had data.
    let wasInData = direction.stage >= 0 && direction.chain[direction.stage].hasOpened
    guard isTLS13 else { return sequence == 0 && !wasInData }
    return stage < direction.chain.count - 1
      || (sequence == 0 && !(direction.isAtLastStage && wasInData))
  }

  /// Tries other keys and numbers on a record that the next one in order did not open.
  func recover(_ side: Int, _ record: ByteView, _ mark: Mark) {
    let found =
      directions[side].hasGap ? tryAhead(side, record) : tryLaterStages(side, record)
    if let found {
      accept(side, found, record[0], mark)
      return
    }
    directions[side].failures += 1
    let stage = directions[side].stage
    if side == clientSide, offersEarlyData, !directions[side].hasOpened {
      counts.earlyRecords &+= 1
    } else {
      counts.unopenedRecords &+= 1
      if directions[side].chain[stage].hasOpened {
        // It took a number all the same.
        directions[side].chain[stage].sequence &+= 1
        directions[side].lostBytes &+= UInt64(record.count)
        directions[side].hasGap = true
      }
      let limit = directions[side].hasOpened ? 16 : CaptureLimits.tlsRecordsAhead
      if directions[side].failures >= limit { fail(side, mark) }
    }
    if directions[side].wastedBytes > CaptureLimits.tlsWastedBytes { fail(side, mark) }
  }

  func fail(_ side: Int, _ mark: Mark) {
    guard !directions[side].hasFailed else { return }
    directions[side].hasFailed = true
    directions[side].buffer = []
    counts.lostDirections &+= 1
    if directions[1 - side].hasFailed, !hasOpened {
      stop(.wrongKeys)
      return
    }
    miss(side, .max, nil, mark)
  }

  /// The first records under the later keys: those under the current one may not have been for us,
  /// as early data that the server refused, or nobody logged their secret.
  func tryLaterStages(_ side: Int, _ record: ByteView) -> Opened? {
    let direction = directions[side]
    for stage in (direction.stage + 1)..<max(direction.stage + 1, direction.chain.count) {
      if let found = attempt(side, record, direction.chain[stage], stage, 0...0) { return found }
    }
    let current = direction.chain[direction.stage]
    guard !current.hasOpened else {
      guard let updated = current.updated, direction.isAtLastStage else { return nil }
      return attempt(side, record, updated, direction.stage, 0...0, isUpdated: true)
    }
    guard direction.failures > 0, side != clientSide || !offersEarlyData else { return nil }
    let last = UInt64(min(direction.failures, CaptureLimits.tlsRecordsAhead))
    return attempt(side, record, current, direction.stage, 1...last)
  }

  /// Keys and numbers that a record can have when those before it were lost.
  func tryAhead(_ side: Int, _ record: ByteView) -> Opened? {
    let direction = directions[side]
    let ahead = UInt64(CaptureLimits.tlsRecordsAhead)
    if let next = direction.next {
      if let found = attempt(side, record, next, nil, 0...ahead) { return found }
    }
    for stage in max(direction.stage, 0)..<max(direction.stage, direction.chain.count) {
      let protection = direction.chain[stage]
      let first = stage == direction.stage ? protection.sequence : 0
      if let found = attempt(side, record, protection, stage, first...(first &+ ahead)) {
        return found
      }
    }
    if direction.isAtLastStage, let updated = direction.chain[direction.stage].updated {
      return attempt(side, record, updated, direction.stage, 0...ahead, isUpdated: true)
    }
    return nil
  }

  func attempt(
    _ side: Int, _ record: ByteView, _ protection: RecordProtection, _ stage: Int?,
    _ sequences: ClosedRange<UInt64>, isUpdated: Bool = false
  ) -> Opened? {
    guard !isTLS13 || record[0] == 23 else { return nil }
    for sequence in sequences {
      guard directions[side].wastedBytes <= CaptureLimits.tlsWastedBytes else { return nil }
      if let plaintext = protection.open(record, sequence: sequence) {
        return Opened(
          plaintext: plaintext, protection: protection, stage: stage, sequence: sequence,
          isUpdated: isUpdated, recordLength: record.count)
      }
      directions[side].wastedBytes &+= record.count + 256
    }
    return nil
  }
}
