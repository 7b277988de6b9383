// RUN: lamina-opt %s -p 'te-block-together{target="cpu:skylake-avx512"}' | filecheck %s
// RUN: lamina-opt %s -p 'te-block-together{target="cpu:skylake-avx512" threads=3}' | filecheck %s --check-prefix=SHARED

// Of one channel, 16 rows of sums and 8 of their maxima fit in the first-level cache.
// CHECK-LABEL: @rows_of_sums_and_of_their_maxima
// CHECK: axes(block: 64, block1: 7, h: 16, w: 112, reduce k: 3)
// CHECK-NEXT: ins(%x[block, block1 * 16 + h, k + w])
// CHECK: axes(block: 64, block1: 7, h: 8, w: 56, reduce p: 2, reduce q: 2)
// CHECK-NEXT: ins(%t[block, block1 * 16 + h * 2 + p, q + w * 2])
func.func @rows_of_sums_and_of_their_maxima(%x: memref<64x112x114xf32>, %y: memref<64x56x56xf32>) {
  %t = memref.alloc() : memref<64x112x112xf32>
  te.compute axes(c: 64, h: 112, w: 112, reduce k: 3) ins(%x[c, h, w + k]) out(%t[c, h, w]) init 0.0 : f32
    : memref<64x112x114xf32>, memref<64x112x112xf32>
    (%a: f32, %acc: f32) { %s = arith.addf %acc, %a : f32  te.yield %s : f32 }
  te.compute axes(c: 64, h: 56, w: 56, reduce p: 2, reduce q: 2) ins(%t[c, h * 2 + p, w * 2 + q]) out(%y[c, h, w]) init 0xff800000 : f32
    : memref<64x112x112xf32>, memref<64x56x56xf32>
    (%a: f32, %acc: f32) { %m = arith.maximumf %acc, %a : f32  te.yield %m : f32 }
  func.return
}

// Rows overlap: only channels are independent.
// CHECK-LABEL: @overlapping_windows_share_channels_only
// CHECK: axes(block: 64, h: 34, w: 34)
// CHECK: axes(block: 64, h: 32, w: 32, reduce p: 3, reduce q: 3)
func.func @overlapping_windows_share_channels_only(%x: memref<64x34x34xf32>, %y: memref<64x32x32xf32>) {
  %t = memref.alloc() : memref<64x34x34xf32>
  te.compute axes(c: 64, h: 34, w: 34) ins(%x[c, h, w]) out(%t[c, h, w]) init 0.0 : f32
    : memref<64x34x34xf32>, memref<64x34x34xf32>
    (%a: f32, %acc: f32) { %s = arith.addf %a, %a : f32  te.yield %s : f32 }
  te.compute axes(c: 64, h: 32, w: 32, reduce p: 3, reduce q: 3) ins(%t[c, h + p, w + q]) out(%y[c, h, w]) init 0xff800000 : f32
    : memref<64x34x34xf32>, memref<64x32x32xf32>
    (%a: f32, %acc: f32) { %m = arith.maximumf %acc, %a : f32  te.yield %m : f32 }
  func.return
}

// All channels of a column are summed, so channels of %t are no blocks; columns are. The weights
// are read for every block: it is as large as the second-level cache allows.
// CHECK-LABEL: @columns_before_a_contraction
// CHECK: axes(block: 16, c: 256, w: 256)
// CHECK: axes(block: 16, o: 128, w: 256, reduce c: 256)
// CHECK-NEXT: ins(%t[c floordiv 16, block * 256 + w, c mod 16], %k[c, o])
// SHARED-LABEL: @columns_before_a_contraction
// SHARED: axes(block: 3 parallel, block1: [[B:[0-9]+]], c: 256, w: [[W:[0-9]+]]) where block * {{[0-9]+}} + block1 * [[W]] + w < 4096
// SHARED: axes(block: 3 parallel, block1: [[B]], o: 128, w: [[W]], reduce c: 256) where
func.func @columns_before_a_contraction(%x: memref<16x4096x16xf32>, %k: memref<256x128xf32>, %y: memref<8x4096x16xf32>) {
  %t = memref.alloc() : memref<16x4096x16xf32>
  te.compute axes(c: 256, w: 4096) ins(%x[c floordiv 16, w, c mod 16]) out(%t[c floordiv 16, w, c mod 16]) init 0.0 : f32
    : memref<16x4096x16xf32>, memref<16x4096x16xf32>
    (%a: f32, %acc: f32) { %s = arith.addf %a, %a : f32  te.yield %s : f32 }
  te.compute axes(o: 128, w: 4096, reduce c: 256) ins(%t[c floordiv 16, w, c mod 16], %k[c, o]) out(%y[o floordiv 16, w, o mod 16]) init 0.0 : f32
    : memref<16x4096x16xf32>, memref<256x128xf32>, memref<8x4096x16xf32>
    (%a: f32, %b: f32, %acc: f32) { %s = math.fma %a, %b, %acc : f32  te.yield %s : f32 }
  func.return
}

// 13 rows of 3 windows each, 40 rows of sums: nobody reads the last one.
// CHECK-LABEL: @rows_that_nobody_reads_are_not_computed
// CHECK: axes(block: [[N:[0-9]+]], {{.*}} where
// CHECK-SAME: < 39
// CHECK: axes(block: [[N]], {{.*}} where
// CHECK-SAME: < 13
func.func @rows_that_nobody_reads_are_not_computed(%x: memref<40x4096xf32>, %y: memref<13xf32>) {
  %t = memref.alloc() : memref<40x4096xf32>
  te.compute axes(h: 40, w: 4096) ins(%x[h, w]) out(%t[h, w]) init 0.0 : f32
    : memref<40x4096xf32>, memref<40x4096xf32>
    (%a: f32, %acc: f32) { %s = arith.addf %a, %a : f32  te.yield %s : f32 }
  te.compute axes(h: 13, reduce p: 3, reduce w: 4096) ins(%t[h * 3 + p, w]) out(%y[h]) init 0xff800000 : f32
    : memref<40x4096xf32>, memref<13xf32>
    (%a: f32, %acc: f32) { %m = arith.maximumf %acc, %a : f32  te.yield %m : f32 }
  func.return
}

// CHECK-LABEL: @what_fits_in_cache_stays_whole
// CHECK-NOT: block
// CHECK: func.return
func.func @what_fits_in_cache_stays_whole(%x: memref<16x16xf32>, %y: memref<16x16xf32>) {
  %t = memref.alloc() : memref<16x16xf32>
  te.compute axes(h: 16, w: 16) ins(%x[h, w]) out(%t[h, w]) init 0.0 : f32 : memref<16x16xf32>, memref<16x16xf32>
    (%a: f32, %acc: f32) { %s = arith.addf %a, %a : f32  te.yield %s : f32 }
  te.compute axes(h: 16, w: 16) ins(%t[h, w]) out(%y[h, w]) init 0.0 : f32 : memref<16x16xf32>, memref<16x16xf32>
    (%a: f32, %acc: f32) { %s = arith.addf %a, %a : f32  te.yield %s : f32 }
  func.return
}

// CHECK-LABEL: @schedules_padding_and_buffers_of_the_caller_stay
// CHECK-NOT: block
// CHECK: func.return
func.func @schedules_padding_and_buffers_of_the_caller_stay(%x: memref<512x4096xf32>, %t: memref<512x4096xf32>, %y: memref<512x4096xf32>) {
  te.compute axes(h: 512, w: 4096) ins(%x[h, w]) out(%t[h, w]) init 0.0 : f32 : memref<512x4096xf32>, memref<512x4096xf32>
    (%a: f32, %acc: f32) { %s = arith.addf %a, %a : f32  te.yield %s : f32 }
  %u = memref.alloc() : memref<512x4096xf32>
  te.compute axes(h: 512, w: 4096) ins(%t[h, w]) out(%u[h, w]) init 0.0 : f32 : memref<512x4096xf32>, memref<512x4096xf32>
    (%a: f32, %acc: f32) { %s = arith.addf %a, %a : f32  te.yield %s : f32 }
  %v = memref.alloc() : memref<512x4096xf32>
  te.compute axes(h: 512, w: 4096) ins(%u[h - 1, w - 1] pad 0.0) out(%v[h, w]) init 0.0 : f32 : memref<512x4096xf32>, memref<512x4096xf32>
    (%a: f32, %acc: f32) { %s = arith.addf %a, %a : f32  te.yield %s : f32 }
  te.compute axes(h: 512, w: 4096) ins(%v[h, w]) out(%y[h, w]) init 0.0 : f32 schedule [vector w] : memref<512x4096xf32>, memref<512x4096xf32>
    (%a: f32, %acc: f32) { %s = arith.addf %a, %a : f32  te.yield %s : f32 }
  func.return
}

// Unrolled code has the numbers of a table in it: a loop over its rows would not know which. What
// could be cut into blocks alike here is nothing but these, since `w` runs backwards.
// CHECK-LABEL: @rows_of_a_table_are_not_cut_apart
// CHECK-NOT: block
// CHECK: func.return
func.func @rows_of_a_table_are_not_cut_apart(%x: memref<2x65536xf32>, %y: memref<2x65536xf32>) {
  %m = te.constant dense<[[1.0, -1.0], [1.0, 1.0]]> : tensor<2x2xf32> -> memref<2x2xf32>
  %t = memref.alloc() : memref<2x65536xf32>
  te.compute axes(a: 2, w: 65536, reduce i: 2) ins(%x[i, w], %m[a, i]) out(%t[a, w]) init 0.0 : f32 : memref<2x65536xf32>, memref<2x2xf32>, memref<2x65536xf32>
    (%p: f32, %q: f32, %acc: f32) { %s = math.fma %p, %q, %acc : f32  te.yield %s : f32 }
  te.compute axes(a: 2, w: 65536) ins(%t[a, -w + 65535]) out(%y[a, w]) init 0.0 : f32 : memref<2x65536xf32>, memref<2x65536xf32>
    (%p: f32, %acc: f32) { %s = arith.addf %p, %p : f32  te.yield %s : f32 }
  func.return
}
