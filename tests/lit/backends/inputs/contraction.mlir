// One 3 x 3 contraction over blocks of 16 channels, with bias and a bound, two pixels a step: the
// same vectors are registers of a CPU, subgroups, and work-items of a work-group. cpu/contraction.mlir
// and those of opencl/ print it.
func.func private @blocks(%x: memref<8x8x16xf32>, %w: memref<2x3x3x16x16xf32>, %bias: memref<32xf32>, %y: memref<2x6x6x16xf32>) {
  loop.for %oco < 2 parallel {
    loop.for %oh < 6 parallel {
      loop.for %owo < 3 parallel {
        %0 = arith.constant dense<0.000000e+00> : vector<16xf32>
        %1, %2 = loop.for %kh < 3, %kw < 3 iter(%acc = %0, %acc_1 = %0) : vector<16xf32> {
          %3 = vec.load_splat %x[%kh + %oh, %kw + %owo * 2, 0] : memref<8x8x16xf32> -> vector<16xf32>
          %4 = vec.load %w[%oco, %kh, %kw, 0, 0] : memref<2x3x3x16x16xf32> -> vector<16xf32>
          %5 = math.fma %3, %4, %acc : vector<16xf32>
          %6 = vec.load_splat %x[%kh + %oh, %kw + %owo * 2 + 1, 0] : memref<8x8x16xf32> -> vector<16xf32>
          %7 = math.fma %6, %4, %acc_1 : vector<16xf32>
          %8 = vec.load_splat %x[%kh + %oh, %kw + %owo * 2, 1] : memref<8x8x16xf32> -> vector<16xf32>
          %9 = vec.load %w[%oco, %kh, %kw, 1, 0] : memref<2x3x3x16x16xf32> -> vector<16xf32>
          %10 = math.fma %8, %9, %5 : vector<16xf32>
          %11 = vec.load_splat %x[%kh + %oh, %kw + %owo * 2 + 1, 1] : memref<8x8x16xf32> -> vector<16xf32>
          %12 = math.fma %11, %9, %7 : vector<16xf32>
          %13 = vec.load_splat %x[%kh + %oh, %kw + %owo * 2, 2] : memref<8x8x16xf32> -> vector<16xf32>
          %14 = vec.load %w[%oco, %kh, %kw, 2, 0] : memref<2x3x3x16x16xf32> -> vector<16xf32>
          %15 = math.fma %13, %14, %10 : vector<16xf32>
          %16 = vec.load_splat %x[%kh + %oh, %kw + %owo * 2 + 1, 2] : memref<8x8x16xf32> -> vector<16xf32>
          %17 = math.fma %16, %14, %12 : vector<16xf32>
          %18 = vec.load_splat %x[%kh + %oh, %kw + %owo * 2, 3] : memref<8x8x16xf32> -> vector<16xf32>
          %19 = vec.load %w[%oco, %kh, %kw, 3, 0] : memref<2x3x3x16x16xf32> -> vector<16xf32>
          %20 = math.fma %18, %19, %15 : vector<16xf32>
          %21 = vec.load_splat %x[%kh + %oh, %kw + %owo * 2 + 1, 3] : memref<8x8x16xf32> -> vector<16xf32>
          %22 = math.fma %21, %19, %17 : vector<16xf32>
          %23 = vec.load_splat %x[%kh + %oh, %kw + %owo * 2, 4] : memref<8x8x16xf32> -> vector<16xf32>
          %24 = vec.load %w[%oco, %kh, %kw, 4, 0] : memref<2x3x3x16x16xf32> -> vector<16xf32>
          %25 = math.fma %23, %24, %20 : vector<16xf32>
          %26 = vec.load_splat %x[%kh + %oh, %kw + %owo * 2 + 1, 4] : memref<8x8x16xf32> -> vector<16xf32>
          %27 = math.fma %26, %24, %22 : vector<16xf32>
          %28 = vec.load_splat %x[%kh + %oh, %kw + %owo * 2, 5] : memref<8x8x16xf32> -> vector<16xf32>
          %29 = vec.load %w[%oco, %kh, %kw, 5, 0] : memref<2x3x3x16x16xf32> -> vector<16xf32>
          %30 = math.fma %28, %29, %25 : vector<16xf32>
          %31 = vec.load_splat %x[%kh + %oh, %kw + %owo * 2 + 1, 5] : memref<8x8x16xf32> -> vector<16xf32>
          %32 = math.fma %31, %29, %27 : vector<16xf32>
          %33 = vec.load_splat %x[%kh + %oh, %kw + %owo * 2, 6] : memref<8x8x16xf32> -> vector<16xf32>
          %34 = vec.load %w[%oco, %kh, %kw, 6, 0] : memref<2x3x3x16x16xf32> -> vector<16xf32>
          %35 = math.fma %33, %34, %30 : vector<16xf32>
          %36 = vec.load_splat %x[%kh + %oh, %kw + %owo * 2 + 1, 6] : memref<8x8x16xf32> -> vector<16xf32>
          %37 = math.fma %36, %34, %32 : vector<16xf32>
          %38 = vec.load_splat %x[%kh + %oh, %kw + %owo * 2, 7] : memref<8x8x16xf32> -> vector<16xf32>
          %39 = vec.load %w[%oco, %kh, %kw, 7, 0] : memref<2x3x3x16x16xf32> -> vector<16xf32>
          %40 = math.fma %38, %39, %35 : vector<16xf32>
          %41 = vec.load_splat %x[%kh + %oh, %kw + %owo * 2 + 1, 7] : memref<8x8x16xf32> -> vector<16xf32>
          %42 = math.fma %41, %39, %37 : vector<16xf32>
          %43 = vec.load_splat %x[%kh + %oh, %kw + %owo * 2, 8] : memref<8x8x16xf32> -> vector<16xf32>
          %44 = vec.load %w[%oco, %kh, %kw, 8, 0] : memref<2x3x3x16x16xf32> -> vector<16xf32>
          %45 = math.fma %43, %44, %40 : vector<16xf32>
          %46 = vec.load_splat %x[%kh + %oh, %kw + %owo * 2 + 1, 8] : memref<8x8x16xf32> -> vector<16xf32>
          %47 = math.fma %46, %44, %42 : vector<16xf32>
          %48 = vec.load_splat %x[%kh + %oh, %kw + %owo * 2, 9] : memref<8x8x16xf32> -> vector<16xf32>
          %49 = vec.load %w[%oco, %kh, %kw, 9, 0] : memref<2x3x3x16x16xf32> -> vector<16xf32>
          %50 = math.fma %48, %49, %45 : vector<16xf32>
          %51 = vec.load_splat %x[%kh + %oh, %kw + %owo * 2 + 1, 9] : memref<8x8x16xf32> -> vector<16xf32>
          %52 = math.fma %51, %49, %47 : vector<16xf32>
          %53 = vec.load_splat %x[%kh + %oh, %kw + %owo * 2, 10] : memref<8x8x16xf32> -> vector<16xf32>
          %54 = vec.load %w[%oco, %kh, %kw, 10, 0] : memref<2x3x3x16x16xf32> -> vector<16xf32>
          %55 = math.fma %53, %54, %50 : vector<16xf32>
          %56 = vec.load_splat %x[%kh + %oh, %kw + %owo * 2 + 1, 10] : memref<8x8x16xf32> -> vector<16xf32>
          %57 = math.fma %56, %54, %52 : vector<16xf32>
          %58 = vec.load_splat %x[%kh + %oh, %kw + %owo * 2, 11] : memref<8x8x16xf32> -> vector<16xf32>
          %59 = vec.load %w[%oco, %kh, %kw, 11, 0] : memref<2x3x3x16x16xf32> -> vector<16xf32>
          %60 = math.fma %58, %59, %55 : vector<16xf32>
          %61 = vec.load_splat %x[%kh + %oh, %kw + %owo * 2 + 1, 11] : memref<8x8x16xf32> -> vector<16xf32>
          %62 = math.fma %61, %59, %57 : vector<16xf32>
          %63 = vec.load_splat %x[%kh + %oh, %kw + %owo * 2, 12] : memref<8x8x16xf32> -> vector<16xf32>
          %64 = vec.load %w[%oco, %kh, %kw, 12, 0] : memref<2x3x3x16x16xf32> -> vector<16xf32>
          %65 = math.fma %63, %64, %60 : vector<16xf32>
          %66 = vec.load_splat %x[%kh + %oh, %kw + %owo * 2 + 1, 12] : memref<8x8x16xf32> -> vector<16xf32>
          %67 = math.fma %66, %64, %62 : vector<16xf32>
          %68 = vec.load_splat %x[%kh + %oh, %kw + %owo * 2, 13] : memref<8x8x16xf32> -> vector<16xf32>
          %69 = vec.load %w[%oco, %kh, %kw, 13, 0] : memref<2x3x3x16x16xf32> -> vector<16xf32>
          %70 = math.fma %68, %69, %65 : vector<16xf32>
          %71 = vec.load_splat %x[%kh + %oh, %kw + %owo * 2 + 1, 13] : memref<8x8x16xf32> -> vector<16xf32>
          %72 = math.fma %71, %69, %67 : vector<16xf32>
          %73 = vec.load_splat %x[%kh + %oh, %kw + %owo * 2, 14] : memref<8x8x16xf32> -> vector<16xf32>
          %74 = vec.load %w[%oco, %kh, %kw, 14, 0] : memref<2x3x3x16x16xf32> -> vector<16xf32>
          %75 = math.fma %73, %74, %70 : vector<16xf32>
          %76 = vec.load_splat %x[%kh + %oh, %kw + %owo * 2 + 1, 14] : memref<8x8x16xf32> -> vector<16xf32>
          %77 = math.fma %76, %74, %72 : vector<16xf32>
          %78 = vec.load_splat %x[%kh + %oh, %kw + %owo * 2, 15] : memref<8x8x16xf32> -> vector<16xf32>
          %79 = vec.load %w[%oco, %kh, %kw, 15, 0] : memref<2x3x3x16x16xf32> -> vector<16xf32>
          %80 = math.fma %78, %79, %75 : vector<16xf32>
          %81 = vec.load_splat %x[%kh + %oh, %kw + %owo * 2 + 1, 15] : memref<8x8x16xf32> -> vector<16xf32>
          %82 = math.fma %81, %79, %77 : vector<16xf32>
          loop.yield %80, %82 : vector<16xf32>, vector<16xf32>
        }
        %83 = vec.load %bias[%oco * 16] : memref<32xf32> -> vector<16xf32>
        %84 = arith.addf %1, %83 : vector<16xf32>
        %85 = arith.maximumf %84, %0 : vector<16xf32>
        vec.store %85, %y[%oco, %oh, %owo * 2, 0] : vector<16xf32>, memref<2x6x6x16xf32>
        %86 = arith.addf %2, %83 : vector<16xf32>
        %87 = arith.maximumf %86, %0 : vector<16xf32>
        vec.store %87, %y[%oco, %oh, %owo * 2 + 1, 0] : vector<16xf32>, memref<2x6x6x16xf32>
      }
    }
  }
  func.return
}
