SELECT kept_since FROM retention
