"""Instagram ads: synthetic exports; contracts and engine are those of facebook_ads."""
