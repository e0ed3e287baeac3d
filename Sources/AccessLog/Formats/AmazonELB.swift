extension LogFormat {
  /// `alb`: access logs of Amazon's Application Load Balancer.
  static let alb = LogFormat(
    name: "alb", summary: "AWS Application Load Balancer: no header but User-Agent",
    rule: .layout(
      .builtIn(
        "$type $end $elb $client $target_address $t1 $t2 $t3 $status $target_status $received "
          + "$sent \"$request\" \"$http_user_agent\" $ssl_cipher $ssl_protocol $group \"$trace\" "
          + "\"$domain\" \"$certificate\" $priority $start",
        escaping: .anyText, allowsTail: true, names: BalancerNames.all)),
    configuration: BalancerNames.advice, hides: BalancerNames.hides, rank: .unmistakable)

  /// `elb`: access logs of the Classic Load Balancer.
  static let elb = LogFormat(
    name: "elb",
    summary: "AWS Classic Load Balancer, after the documentation: "
      + "no header but User-Agent",
    rule: .layout(
      .builtIn(
        "$start $elb $client $target_address $t1 $t2 $t3 $status $target_status $received $sent "
          + "\"$request\" \"$http_user_agent\" $ssl_cipher $ssl_protocol",
        escaping: .anyText, allowsTail: true, names: BalancerNames.all)),
    configuration: BalancerNames.advice, hides: BalancerNames.hides, rank: .unmistakable)
}

private enum BalancerNames {
  static let all: [String: (FieldMeaning, FieldForm)] = {
    var names: [String: (FieldMeaning, FieldForm)] = [
      "end": (.stamp(Stamp(form: .isoUTC, isStart: false)), .word),
      "start": (.stamp(Stamp(form: .isoUTC, isStart: true)), .word),
      "client": (.client, .word),
      "domain": (.host, .text), "trace": (.ignored, .text), "certificate": (.ignored, .text),
    ]
    for name in [
      "type", "elb", "target_address", "t1", "t2", "t3", "target_status", "received", "sent",
      "ssl_cipher", "ssl_protocol", "group", "priority",
    ] {
      names[name] = (.ignored, .word)
    }
    return names
  }()

  static let advice = """
    # A load balancer of AWS logs no header but User-Agent, and nothing can change that.
    # Log at the targets instead; the header X-Amzn-Trace-Id joins their lines to these. For
    # nginx behind it: postflight formats nginx-cors --config

    """

  static let hides = [
    "no header but User-Agent is ever logged, neither Origin nor any of the response",
    "answers of the balancer itself (a target of \"-\") carry no CORS headers unless its listener "
      + "adds them",
  ]
}
