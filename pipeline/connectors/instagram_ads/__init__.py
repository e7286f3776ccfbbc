"""Instagram ads: synthetic exports; the contract is that of facebook_ads, its engine too."""
